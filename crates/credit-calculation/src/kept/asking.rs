//! Questions that come while another one looks what has changed wait for each other, and look together.
//!
//! Whoever looks began to after all of them had come, so that each is answered by what was known when it came. Nobody waits for
//! more than the look under way and one more. A caller who goes away hands over to the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Who looks, and who waits. As many wait as calls are under way, which the server limits.
#[derive(Debug, Default)]
pub(crate) struct Asking(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    is_asking: bool,
    waiting: Vec<oneshot::Sender<Turn>>,
}

/// What whoever waits is told.
#[derive(Debug)]
enum Turn {
    /// It is the one who looks.
    Lead(Lead),
    /// Another one has looked; whether it could.
    Done(bool),
}

/// The right to look; handed to the next when it is dropped.
#[derive(Debug)]
struct Lead(Arc<Asking>);

impl Drop for Lead {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        while let Some(next) = queue.waiting.pop() {
            if next.is_closed() {
                continue;
            }
            drop(queue);
            // Where it has gone away meanwhile, it is dropped there, and handed on.
            let _ = next.send(Turn::Lead(Self(Arc::clone(&self.0))));
            return;
        }
        queue.is_asking = false;
    }
}

impl Asking {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks, or has another one look who begins to after this call; answers whether it could.
    pub async fn together<F: Future<Output = bool>>(self: &Arc<Self>, look: impl FnOnce() -> F) -> bool {
        let lead = loop {
            match self.turn().await {
                Some(Turn::Lead(lead)) => break lead,
                Some(Turn::Done(could)) => return could,
                // Whoever looked has gone away.
                None => {}
            }
        };
        let group = std::mem::take(&mut self.queue().waiting);
        let could = look().await;
        for waiting in group {
            // A caller that has gone away need not be told.
            let _ = waiting.send(Turn::Done(could));
        }
        drop(lead);
        could
    }

    async fn turn(self: &Arc<Self>) -> Option<Turn> {
        let told = {
            let mut queue = self.queue();
            if !queue.is_asking {
                queue.is_asking = true;
                return Some(Turn::Lead(Lead(Arc::clone(self))));
            }
            let (tell, told) = oneshot::channel();
            queue.waiting.push(tell);
            told
        };
        told.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;

    /// Counts how often somebody looks, and lets them look when told.
    #[derive(Default)]
    struct Looks {
        begun: AtomicUsize,
        may: Notify,
    }

    impl Looks {
        async fn look(&self) -> bool {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.may.notified().await;
            true
        }
    }

    fn ask(asking: &Arc<Asking>, looks: &Arc<Looks>) -> tokio::task::JoinHandle<bool> {
        let (asking, looks) = (Arc::clone(asking), Arc::clone(looks));
        tokio::spawn(async move { asking.together(|| async { looks.look().await }).await })
    }

    async fn settle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn who_comes_while_another_looks_shares_the_next_look_not_that_one() {
        let (asking, looks) = (Arc::<Asking>::default(), Arc::<Looks>::default());
        let first = ask(&asking, &looks);
        settle().await;
        let others: Vec<_> = (0..5).map(|_| ask(&asking, &looks)).collect();
        settle().await;
        assert_eq!(looks.begun.load(Ordering::SeqCst), 1);
        looks.may.notify_one();
        assert!(first.await.expect("an answer"));
        settle().await;
        assert_eq!(looks.begun.load(Ordering::SeqCst), 2, "all others together");
        assert!(others.iter().all(|other| !other.is_finished()));
        looks.may.notify_one();
        for other in others {
            assert!(other.await.expect("an answer"));
        }
        assert_eq!(looks.begun.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn who_goes_away_while_looking_hands_over() {
        let (asking, looks) = (Arc::<Asking>::default(), Arc::<Looks>::default());
        let first = ask(&asking, &looks);
        settle().await;
        let (second, third) = (ask(&asking, &looks), ask(&asking, &looks));
        settle().await;
        first.abort();
        settle().await;
        // One of the two looks now, and goes away too, with the other in its group.
        assert_eq!(looks.begun.load(Ordering::SeqCst), 2);
        third.abort();
        settle().await;
        looks.may.notify_one();
        looks.may.notify_one();
        let limit = Duration::from_secs(5);
        assert!(timeout(limit, second).await.expect("in time").expect("an answer"));
    }
}
