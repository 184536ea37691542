//! Several daemons of one world, and somebody who kills them.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use super::daemon::Daemon;
use super::world::World;

/// Daemons that share a database, a broker and a model's endpoint.
pub(crate) struct Crew {
    environment: Vec<(String, String)>,
    daemons: Vec<Daemon>,
    moments: RandomState,
}

impl Crew {
    /// So many daemons; later pairs override the world's settings.
    pub(crate) fn of(count: usize, world: &World, more: &[(&str, &str)]) -> Self {
        let environment = world.environment(more);
        let daemons = (0..count).map(|_| Daemon::start(&environment)).collect();
        Self { environment, daemons, moments: RandomState::new() }
    }

    /// Those that run.
    pub(crate) fn daemons(&self) -> &[Daemon] {
        &self.daemons
    }

    /// Kills one of them for good.
    pub(crate) fn kill(&mut self, nth: usize) {
        self.daemons.remove(nth).kill();
    }

    /// Kills one after the other, a random one of them at a random moment within each pause, and
    /// starts another in its place.
    pub(crate) async fn suffer(&mut self, kills: u64, pause: Duration) {
        for kill in 0..kills {
            let random = self.moments.hash_one(kill);
            tokio::time::sleep(pause.mul_f64((random % 1000) as f64 / 1000.0)).await;
            let victim = (random / 1000) as usize % self.daemons.len();
            self.daemons.remove(victim).kill();
            self.daemons.push(Daemon::start(&self.environment));
        }
    }
}
