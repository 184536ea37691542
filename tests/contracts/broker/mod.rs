//! The brokers' contract. `both` holds for each of them; `rabbitmq` and `embedded` for one.

mod both;
mod embedded;
mod rabbitmq;
mod stage;
mod weather;
