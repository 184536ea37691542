//! The real binary as a process of its own, on ports of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a process may take for what it should do at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, with nothing of this process's environment that would change its settings.
pub(crate) fn gleaner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gleaner"));
    for (name, _) in std::env::vars() {
        let ours = ["GLEANER_", "AI_", "DATABASE_URL", "AMQP_URL", "ANTHROPIC_"];
        if ours.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.env("GLEANER__HTTP__BIND", "127.0.0.1:0");
    command
}

/// A running `gleaner run`; killed when dropped.
pub(crate) struct Daemon {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
    address: String,
}

impl Daemon {
    /// Starts it and waits until its port is open.
    pub(crate) fn start(environment: &[(String, String)]) -> Self {
        let mut command = gleaner();
        command
            .arg("run")
            .envs(environment.iter().cloned())
            .stderr(Stdio::piped())
            .stdout(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        let (say, lines) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| say.send(line))
        });
        let mut daemon = Self { child, lines, seen: Vec::new(), address: String::new() };
        let line = daemon.wait_for_line("listening on http://");
        let address = line
            .split("listening on http://")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        daemon.address = address.expect("the line names the address").to_owned();
        daemon
    }

    /// `host:port` of its HTTP port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The next line of its log that holds the text.
    pub(crate) fn wait_for_line(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(_) => {
                    panic!("no line with {text:?} came; the log so far:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    /// Everything it logged so far.
    pub(crate) fn log(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    /// SIGKILL, and gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it did not end; its log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
