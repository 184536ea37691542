//! RabbitMQ through lapin, under a supervisor of our own.
