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
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            taken: 0,
            wanted: 0,
            done: BTreeMap::new(),
            ended: false,
            stopped: false,
        }),
        changed: Condvar::new(),
        ahead: (workers.get() * AHEAD_PER_WORKER) as u64,
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
    changed: Condvar,
    ahead: u64,
}

struct State<R> {
    /// Items pulled from the input so far.
    taken: u64,
    /// The number of the result the consumer gets next.
    wanted: u64,
    done: BTreeMap<u64, R>,
    /// The input gave its last item.
    ended: bool,
    /// The consumer went away or a worker panicked.
    stopped: bool,
}

impl<R> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<R>>) -> MutexGuard<'a, State<R>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The wanted result or the reason why there will be none; `None` while it is not known.
    fn ready(&self, state: &mut State<R>) -> Option<Next<R>> {
        let wanted = state.wanted;
        if let Some(result) = state.done.remove(&wanted) {
            state.wanted += 1;
            self.changed.notify_all();
            return Some(Next::Item(result));
        }
        if state.stopped {
            return Some(Next::Broken);
        }
        (state.ended && state.taken == wanted).then_some(Next::End)
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
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
        while !state.stopped && !state.ended && state.taken >= state.wanted + shared.ahead {
            state = shared.wait(state);
        }
        if state.stopped || state.ended {
            return;
        }
        drop(state);
        let item = source.next();
        let mut state = shared.lock();
        let Some(item) = item else {
            state.ended = true;
            shared.changed.notify_all();
            return;
        };
        let number = state.taken;
        state.taken += 1;
        drop(state);
        drop(source);
        let result = work(item);
        shared.lock().done.insert(number, result);
        shared.changed.notify_all();
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
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Waiting;
            }
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
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
                None => state = self.shared.wait(state),
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
