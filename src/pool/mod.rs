//! Work on all cores, results in the order of the input.
//!
//! Never: knows what the work is about.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

/// How many results may be finished or under way ahead of the one that is asked for next, per
/// worker. It bounds memory when one item takes much longer than its followers.
const AHEAD_PER_WORKER: usize = 4;

/// Number of workers this process may use: what the machine offers to it, at least one.
#[must_use]
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Runs `work` over the items of `input` on `workers` threads of `scope` and yields the results in
/// the order of the items.
///
/// The input is pulled by the workers, one at a time, at most a few items ahead of the consumer.
/// Dropping the iterator stops the workers after their current item. A panic in `work` or in the
/// input ends the iterator, and the scope passes the panic on when it is left.
pub fn ordered<'scope, 'env, I, T, R, F>(
    scope: &'scope Scope<'scope, 'env>,
    workers: NonZeroUsize,
    input: I,
    work: F,
) -> Ordered<R>
where
    I: Iterator<Item = T> + Send + 'scope,
    T: Send + 'scope,
    R: Send + 'scope,
    F: Fn(T) -> R + Send + Sync + 'scope,
{
    ordered_ahead(scope, workers, Ahead::default(), input, work, |_| 0)
}

/// How far the workers may be ahead of a consumer that does something else for a while, beyond the few
/// items of [`ordered`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Ahead {
    /// Items taken and not yet given to the consumer.
    pub items: u64,
    /// Sum of the weights of the results that wait.
    pub weight: u64,
}

/// The same as [`ordered`], with more results ahead as long as they are light: `weigh` gives the
/// weight of each.
pub fn ordered_ahead<'scope, 'env, I, T, R, F>(
    scope: &'scope Scope<'scope, 'env>,
    workers: NonZeroUsize,
    ahead: Ahead,
    input: I,
    work: F,
    weigh: fn(&R) -> u64,
) -> Ordered<R>
where
    I: Iterator<Item = T> + Send + 'scope,
    T: Send + 'scope,
    R: Send + 'scope,
    F: Fn(T) -> R + Send + Sync + 'scope,
{
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            taken: 0,
            wanted: 0,
            done: BTreeMap::new(),
            weight: 0,
            ended: false,
            stopped: false,
            consumer_waits: false,
            worker_waits: false,
        }),
        given: Condvar::new(),
        taken: Condvar::new(),
        always: (workers.get() * AHEAD_PER_WORKER) as u64,
        ahead,
        weigh,
    });
    let input = Arc::new(Mutex::new(input));
    let work = Arc::new(work);
    for _ in 0..workers.get() {
        let (shared, input, work) = (Arc::clone(&shared), Arc::clone(&input), Arc::clone(&work));
        scope.spawn(move || run(&shared, &input, &*work));
    }
    Ordered { shared }
}

/// Results in input order; see [`ordered`].
pub struct Ordered<R> {
    shared: Arc<Shared<R>>,
}

struct Shared<R> {
    state: Mutex<State<R>>,
    /// The consumer waits for the next result here, ...
    given: Condvar,
    /// ... and a worker that is far ahead until one is taken.
    taken: Condvar,
    /// Items that may be ahead whatever they weigh.
    always: u64,
    ahead: Ahead,
    weigh: fn(&R) -> u64,
}

struct State<R> {
    /// Items pulled from the input so far.
    taken: u64,
    /// The number of the result the consumer gets next.
    wanted: u64,
    done: BTreeMap<u64, R>,
    /// Sum of the weights of `done`.
    weight: u64,
    /// The input gave its last item.
    ended: bool,
    /// The consumer went away or a worker panicked.
    stopped: bool,
    // Whom nobody waits for is not woken: that would be a call of the system for every item.
    consumer_waits: bool,
    worker_waits: bool,
}

impl<R> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, as the consumer, for a change, at most until `deadline`.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State<R>>,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, State<R>> {
        state.consumer_waits = true;
        let mut state = match deadline {
            None => self.given.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let waited = self.given.wait_timeout(state, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.consumer_waits = false;
        state
    }

    /// Waits, as a worker, until a result is taken. There is but one: it has the input.
    fn wait_for_room<'a>(&self, mut state: MutexGuard<'a, State<R>>) -> MutexGuard<'a, State<R>> {
        state.worker_waits = true;
        let mut state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.worker_waits = false;
        state
    }

    fn wake_all(&self) {
        self.given.notify_all();
        self.taken.notify_all();
    }

    /// The wanted result or the reason why there will be none; `None` while it is not known.
    fn ready(&self, state: &mut State<R>) -> Option<Next<R>> {
        let wanted = state.wanted;
        if let Some(result) = state.done.remove(&wanted) {
            state.wanted += 1;
            state.weight -= (self.weigh)(&result);
            if state.worker_waits {
                self.taken.notify_one();
            }
            return Some(Next::Item(result));
        }
        if state.stopped {
            return Some(Next::Broken);
        }
        (state.ended && state.taken == wanted).then_some(Next::End)
    }

    /// Whether the workers are so far ahead that no further item is taken.
    fn is_far_ahead(&self, state: &State<R>) -> bool {
        let ahead = state.taken - state.wanted;
        ahead >= self.always && (ahead >= self.ahead.items || state.weight >= self.ahead.weight)
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.wake_all();
    }
}

/// Stops everything unless it was disarmed: the way a panic reaches the other threads.
struct StopOnPanic<'a, R>(&'a Shared<R>);

impl<R> Drop for StopOnPanic<'_, R> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

fn run<T, R>(shared: &Shared<R>, input: &Mutex<impl Iterator<Item = T>>, work: &impl Fn(T) -> R) {
    let _guard = StopOnPanic(shared);
    loop {
        // The input lock is held while the number is drawn, so numbers follow the input's order.
        let Ok(mut source) = input.lock() else { return };
        let mut state = shared.lock();
        while !state.stopped && !state.ended && shared.is_far_ahead(&state) {
            state = shared.wait_for_room(state);
        }
        if state.stopped || state.ended {
            return;
        }
        drop(state);
        let item = source.next();
        let mut state = shared.lock();
        let Some(item) = item else {
            state.ended = true;
            drop(state);
            shared.wake_all();
            return;
        };
        let number = state.taken;
        state.taken += 1;
        drop(state);
        drop(source);
        let result = work(item);
        let mut state = shared.lock();
        state.weight += (shared.weigh)(&result);
        state.done.insert(number, result);
        let wakes = state.consumer_waits && state.wanted == number;
        drop(state);
        if wakes {
            shared.given.notify_one();
        }
    }
}

/// What [`Ordered::next_within`] met.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<R> {
    /// The next result.
    Item(R),
    /// No result yet; ask again.
    Waiting,
    /// The input is at its end and every result was given.
    End,
    /// A worker panicked: results are missing.
    Broken,
}

impl<R> Ordered<R> {
    /// The next result if it comes within `time`.
    pub fn next_within(&mut self, time: Duration) -> Next<R> {
        let deadline = Instant::now() + time;
        let mut state = self.shared.lock();
        loop {
            if let Some(next) = self.shared.ready(&mut state) {
                return next;
            }
            if deadline <= Instant::now() {
                return Next::Waiting;
            }
            state = self.shared.wait(state, Some(deadline));
        }
    }
}

impl<R> Iterator for Ordered<R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        let mut state = self.shared.lock();
        loop {
            match self.shared.ready(&mut state) {
                Some(Next::Item(result)) => return Some(result),
                Some(_) => return None,
                None => state = self.shared.wait(state, None),
            }
        }
    }
}

impl<R> Drop for Ordered<R> {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

    #[test]
    fn results_come_in_input_order_whatever_the_work_takes() {
        let out: Vec<u64> = thread::scope(|scope| {
            ordered(scope, THREE, 0..200_u64, |n| {
                thread::sleep(std::time::Duration::from_micros((n * 7919) % 300));
                n * 2
            })
            .collect()
        });
        assert_eq!(out, (0..200).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn two_stages_can_be_chained() {
        let out: Vec<u64> = thread::scope(|scope| {
            let first = ordered(scope, THREE, 0..100_u64, |n| n + 1);
            let mut sum = 0;
            let between = first.map(move |n| {
                sum += n;
                sum
            });
            ordered(scope, THREE, between, |n| n * 10).collect()
        });
        assert_eq!(out.last(), Some(&50_500));
        assert_eq!(out.len(), 100);
    }

    #[test]
    fn light_results_may_be_far_ahead_and_heavy_ones_may_not() {
        for (weight, most) in [(1, 100), (25, 16)] {
            let taken = std::sync::atomic::AtomicU64::new(0);
            thread::scope(|scope| {
                let ahead = Ahead {
                    items: 100,
                    weight: 200,
                };
                let count = |n: u64| {
                    taken.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    (n, weight)
                };
                let mut results = ordered_ahead(scope, THREE, ahead, 0..1000, count, |&(_, weight)| weight);
                assert_eq!(results.next(), Some((0, weight)));
                thread::sleep(Duration::from_millis(50));
                let ahead = taken.load(std::sync::atomic::Ordering::SeqCst);
                assert!(ahead <= most + 1, "{ahead} items of weight {weight} were taken");
                assert_eq!(results.count(), 999);
            });
        }
    }

    #[test]
    fn dropping_the_results_stops_an_endless_input() {
        thread::scope(|scope| {
            let mut results = ordered(scope, THREE, 0.., |n: u64| n);
            assert_eq!(results.next(), Some(0));
        });
    }

    #[test]
    fn a_panic_in_the_work_does_not_hang() {
        let outcome = std::panic::catch_unwind(|| {
            thread::scope(|scope| {
                ordered(scope, THREE, 0..50_u32, |n| {
                    assert!(n != 13, "thirteen");
                    n
                })
                .count()
            })
        });
        assert!(outcome.is_err());
    }
}
