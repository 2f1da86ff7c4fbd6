//! Waiting for something that others change under a lock, and tell.

use tokio::sync::Notify;

/// Waits until a look finds something: at once, or after one of the changes that are told.
pub(super) async fn until<T>(changed: &Notify, look: impl Fn() -> Option<T>) -> T {
    loop {
        let told = changed.notified();
        tokio::pin!(told);
        // From here on it is told, so that no change falls between the look and the wait.
        told.as_mut().enable();
        if let Some(found) = look() {
            return found;
        }
        told.await;
    }
}
