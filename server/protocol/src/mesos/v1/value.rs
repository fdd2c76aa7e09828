//! Values, labels, times and places.

names! {
    /// What kind of value a resource or an attribute has.
    ValueType {
        Scalar = "SCALAR",
        Ranges = "RANGES",
        Set = "SET",
        Text = "TEXT",
    }
}

message! {
    /// A number. Mesos counts in thousandths.
    Scalar {
        /// The number; infinite in a task's limits means no limit.
        #[serde(with = "infinite")]
        value: f64,
    }

    /// Ranges.
    Ranges {
        /// The ranges, both ends included.
        range: Vec<Range>,
    }

    /// A range.
    Range {
        /// First.
        begin: u64,
        /// Last.
        end: u64,
    }

    /// A set of words.
    Set {
        /// The words.
        item: Vec<String>,
    }

    /// A text.
    Text {
        /// The text.
        value: String,
    }

    /// An attribute of an agent.
    Attribute {
        /// Name.
        name: String,
        /// What kind of value it has.
        #[serde(rename = "type")]
        kind: ValueType,
        /// A number.
        scalar: Option<Scalar>,
        /// Ranges.
        ranges: Option<Ranges>,
        /// A set.
        set: Option<Set>,
        /// A text.
        text: Option<Text>,
    }

    /// Labels.
    Labels {
        /// The labels; a key may come twice.
        labels: Vec<Label>,
    }

    /// One label.
    Label {
        /// Key.
        key: String,
        /// Value.
        value: Option<String>,
    }

    /// A moment.
    TimeInfo {
        /// Nanoseconds since the epoch.
        nanoseconds: i64,
    }

    /// A span of time. Mesos writes nanoseconds; `DRAIN_AGENT` wants Google's
    /// `Duration`, seconds and nanos.
    DurationInfo {
        /// Nanoseconds.
        nanoseconds: Option<i64>,
        /// Seconds, in Google's `Duration`.
        seconds: Option<i64>,
        /// Nanoseconds beyond the seconds, in Google's `Duration`.
        nanos: Option<i32>,
    }

    /// When something is not there.
    Unavailability {
        /// From when on.
        start: TimeInfo,
        /// For how long; absent means for ever.
        duration: Option<DurationInfo>,
    }

    /// A network address.
    Address {
        /// Host name.
        hostname: Option<String>,
        /// IP address.
        ip: Option<String>,
        /// Port.
        port: u16,
    }

    /// An address of an HTTP server.
    Url {
        /// `http` or `https`.
        scheme: String,
        /// Where.
        address: Address,
        /// Path, `/slave(1)`.
        path: Option<String>,
        /// Query.
        query: Vec<Parameter>,
        /// Fragment.
        fragment: Option<String>,
    }

    /// A key and a value.
    Parameter {
        /// Key.
        key: String,
        /// Value.
        value: String,
    }

    /// Keys and values.
    Parameters {
        /// They.
        parameter: Vec<Parameter>,
    }

    /// Where something is, as far as faults go.
    DomainInfo {
        /// Region and zone.
        fault_domain: Option<FaultDomain>,
    }

    /// Region and zone.
    FaultDomain {
        /// Region.
        region: DomainName,
        /// Zone, in the region.
        zone: DomainName,
    }

    /// Name of a region or zone.
    DomainName {
        /// Name.
        name: String,
    }

    /// A capability, by its name; absent if the writer does not know it.
    Capability {
        /// Name, `PARTITION_AWARE`.
        #[serde(rename = "type")]
        kind: Option<String>,
    }

    /// A message without members of its own.
    Nothing {}
}

impl Label {
    /// A label.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: Some(value.into()), ..Self::default() }
    }
}

impl Labels {
    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|l| l.key == key)?.value.as_deref()
    }
}

impl Capability {
    /// A capability.
    pub fn new(name: impl Into<String>) -> Self {
        Self { kind: Some(name.into()), ..Self::default() }
    }
}

impl DurationInfo {
    /// So many milliseconds, as Mesos' own messages want them.
    pub fn from_ms(ms: i64) -> Self {
        Self { nanoseconds: Some(ms.saturating_mul(1_000_000)), ..Self::default() }
    }
    /// So many seconds, as `DRAIN_AGENT` wants them.
    pub fn from_s(s: i64) -> Self {
        Self { seconds: Some(s), ..Self::default() }
    }
    /// Nanoseconds, whichever way they were written; saturates.
    pub fn as_nanoseconds(&self) -> i64 {
        let google = self.seconds.unwrap_or(0).saturating_mul(1_000_000_000);
        self.nanoseconds.unwrap_or(0).saturating_add(google).saturating_add(i64::from(self.nanos.unwrap_or(0)))
    }
}

impl TimeInfo {
    /// A moment, from milliseconds since the epoch.
    pub fn from_ms(unix_ms: i64) -> Self {
        Self { nanoseconds: unix_ms.saturating_mul(1_000_000), ..Self::default() }
    }
    /// Milliseconds since the epoch.
    pub fn as_ms(&self) -> i64 {
        self.nanoseconds / 1_000_000
    }
}

/// JSON has no infinity, and serde_json would write `null`, which Mesos reads as
/// "not set": a task without a limit would get its request as its limit. Written as
/// protobuf's own JSON has it, as a text (not seen in a recording).
mod infinite {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Finite(f64),
        Text(Name),
    }

    #[derive(Deserialize)]
    enum Name {
        #[serde(alias = "inf")]
        Infinity,
        #[serde(rename = "-Infinity", alias = "-inf")]
        Negative,
        #[serde(rename = "NaN", alias = "nan")]
        NotANumber,
    }

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            v if v.is_finite() => serializer.serialize_f64(*v),
            v if v.is_nan() => serializer.serialize_str("NaN"),
            v if *v > 0.0 => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(match Number::deserialize(deserializer)? {
            Number::Finite(value) => value,
            Number::Text(Name::Infinity) => f64::INFINITY,
            Number::Text(Name::Negative) => f64::NEG_INFINITY,
            Number::Text(Name::NotANumber) => f64::NAN,
        })
    }
}
