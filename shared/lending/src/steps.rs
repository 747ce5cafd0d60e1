//! The steps of the arithmetic, counted for tests: amounts, rows, events, days and flows that are looked at.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts so many more.
#[cfg(test)]
pub(crate) fn steps(count: usize) {
    STEPS.set(STEPS.get() + count as u64);
}

/// Counts so many more, in tests alone.
#[cfg(not(test))]
pub(crate) const fn steps(_: usize) {}

/// The number that a call looks at.
#[cfg(test)]
pub(crate) fn counted<T>(call: impl FnOnce() -> T) -> (T, u64) {
    let before = STEPS.get();
    let answer = call();
    (answer, STEPS.get() - before)
}
