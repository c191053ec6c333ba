//! Numbers, in the few words that tables need.

use std::time::Duration;

/// What so many numbers of a hundred do not exceed; sorts them.
pub fn percentile(numbers: &mut [f64], percent: usize) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[(numbers.len() * percent).div_ceil(100).clamp(1, numbers.len()) - 1]
}

/// The median.
pub fn median(numbers: &[f64]) -> f64 {
    percentile(&mut numbers.to_vec(), 50)
}

/// The greatest.
pub fn best(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::MIN, f64::max)
}

/// In milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// `p50 1.20 ms, p99 3.40 ms, worst 5.60 ms (100)`
pub fn summary(mut times: Vec<f64>) -> String {
    let (p50, p99, worst) = (percentile(&mut times, 50), percentile(&mut times, 99), percentile(&mut times, 100));
    format!("p50 {p50:8.2} ms   p99 {p99:8.2} ms   worst {worst:8.2} ms   ({} times)", times.len())
}
