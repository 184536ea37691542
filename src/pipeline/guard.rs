//! A deadline around the work, and a net under it: a panic becomes a fault.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

use crate::fault::Fault;

/// Runs the work to its end, its deadline or its panic.
pub(super) async fn guarded<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(deadline, caught(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(Fault::transient(format!("the work panicked: {panic}"))),
        Err(_) => Err(Fault::transient(format!("not done within {} s", deadline.as_secs()))),
    }
}

/// Runs the work to its end or its panic, which is put into words.
pub(super) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    // The work holds only shared references and its own state, which dies with it.
    let ended = AssertUnwindSafe(work).catch_unwind().await;
    ended.map_err(|panic| words(panic.as_ref()).to_owned())
}

/// The words that the source holds. A panic that made its own may quote chat text, as that of a
/// slice outside a text's bounds does.
fn words(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("in words that may quote a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_a_passing_fault() {
        let result = guarded::<()>(Duration::from_secs(5), async { panic!("out of cake") }).await;
        let Err(Fault::Transient(error)) = result else { panic!("{result:?}") };
        assert!(error.to_string().contains("out of cake"));
    }

    #[tokio::test]
    async fn a_panic_that_quotes_a_text_keeps_it_to_itself() {
        let text = String::from("münster at noon");
        let result = guarded(Duration::from_secs(5), async { Ok(text[..2].len()) }).await;
        let Err(Fault::Transient(error)) = result else { panic!("{result:?}") };
        assert!(!error.to_string().contains("noon"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_never_ends_becomes_a_passing_fault() {
        let result = guarded::<()>(Duration::from_secs(120), std::future::pending()).await;
        let Err(Fault::Transient(error)) = result else { panic!("{result:?}") };
        assert!(error.to_string().contains("120 s"));
    }
}
