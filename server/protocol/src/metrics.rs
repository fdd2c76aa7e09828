//! Marathon's `GET /metrics` (1.7 and later: the RAML's "new metrics").

use std::collections::BTreeMap;

message! {
    /// `GET /metrics`, by kind and name.
    Metrics {
        /// `4.0.0`.
        version: Option<String>,
        /// Counters.
        counters: Option<BTreeMap<String, Counter>>,
        /// Gauges.
        gauges: Option<BTreeMap<String, Gauge>>,
        /// Histograms.
        histograms: Option<BTreeMap<String, Distribution>>,
        /// Meters.
        meters: Option<BTreeMap<String, Meter>>,
        /// Timers: a distribution and a meter in one.
        timers: Option<BTreeMap<String, Distribution>>,
    }

    /// A counter.
    Counter {
        /// Its value.
        count: i64,
    }

    /// A gauge.
    Gauge {
        /// Its value; some gauges have texts.
        value: serde_json::Value,
    }

    /// A meter: events per time.
    Meter {
        /// Events so far.
        count: i64,
        /// Over the last minute.
        m1_rate: f64,
        /// Over the last 5 minutes.
        m5_rate: f64,
        /// Over the last 15 minutes.
        m15_rate: f64,
        /// Over all.
        mean_rate: f64,
        /// `events/second`.
        units: Option<String>,
    }

    /// A distribution of values; of durations, if it has units.
    Distribution {
        /// Values so far.
        count: i64,
        /// Smallest.
        min: f64,
        /// Mean.
        mean: f64,
        /// Largest.
        max: f64,
        /// Median.
        p50: f64,
        /// 75 % are not larger.
        p75: f64,
        /// 95 % are not larger.
        p95: f64,
        /// 98 % are not larger.
        p98: f64,
        /// 99 % are not larger.
        p99: f64,
        /// 99.9 % are not larger.
        p999: f64,
        /// Standard deviation.
        stddev: f64,
        /// Over the last minute (timers).
        m1_rate: Option<f64>,
        /// Over the last 5 minutes (timers).
        m5_rate: Option<f64>,
        /// Over the last 15 minutes (timers).
        m15_rate: Option<f64>,
        /// Over all (timers).
        mean_rate: Option<f64>,
        /// `seconds` (timers).
        duration_units: Option<String>,
        /// `calls/second` (timers).
        rate_units: Option<String>,
    }
}
