//! What the wire types have in common, written down once.
//!
//! Some three hundred messages follow the same four rules (lib.rs has them): keep
//! what is unknown, write nothing that was absent, never fail on a new name, never
//! lose a message because one member of it surprises. Spelling them at each field
//! is how one of them would be forgotten; so macros write the attributes, and each
//! type says only what it is made of:
//!
//! * `message!`: a struct. Plain field: always there (its default, if it was not);
//!   `Option` and `Vec`: not written when absent or empty. In protobuf an empty
//!   repeated field is an absent one; Marathon, for which they differ, has
//!   `Option<Vec<_>>`.
//! * `record!`: the same, but lists are written even when they are empty (Mesos v0).
//! * `names!`: an enum of names that the other side may extend.
//! * `ids!`: `{"value": "…"}`, a type of its own for each kind of id.
//! * `union!`: `{"type": "X", "x": {…}}`, what Mesos makes of a protobuf union.
//! * `members!`: typed access to what stays in `extra`, for structs whose fields
//!   are fixed because other crates write them out in full.

use crate::Extra;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether a member is written.
pub(crate) trait Member {
    /// True: it is left out.
    fn absent(&self) -> bool {
        false
    }
    /// True: it is left out even where empty lists are written.
    fn none(&self) -> bool {
        self.absent()
    }
}

impl<T> Member for Option<T> {
    fn absent(&self) -> bool {
        self.is_none()
    }
}
impl<T> Member for Vec<T> {
    fn absent(&self) -> bool {
        self.is_empty()
    }
    fn none(&self) -> bool {
        false
    }
}
impl<T: Member> Member for Box<T> {
    fn absent(&self) -> bool {
        T::absent(self)
    }
}
impl<K, V> Member for BTreeMap<K, V> {}
macro_rules! plain { ($($type:ty),*) => { $(impl Member for $type {})* } }
plain!(bool, u16, u32, u64, i32, i64, f64, String, Value);

/// Takes a member out of a map if it has the shape; else it stays there.
/// An absent member is read as `null`, so that an `Option` is found absent.
pub(crate) fn take<T: DeserializeOwned>(map: &mut Extra, name: &str) -> Option<T> {
    let found = T::deserialize(map.get(name).unwrap_or(&Value::Null)).ok()?;
    map.remove(name);
    Some(found)
}

/// Reads a member of `extra`; `None` if it is absent, null or of another shape.
pub(crate) fn member<T: DeserializeOwned>(extra: &Extra, name: &str) -> Option<T> {
    T::deserialize(extra.get(name)?).ok()
}

/// Writes a member of `extra`; `None` removes it.
pub(crate) fn put<T: Serialize>(extra: &mut Extra, name: &str, value: Option<&T>) {
    match value.and_then(|v| serde_json::to_value(v).ok()) {
        Some(value) => extra.insert(name.to_owned(), value),
        None => extra.remove(name),
    };
}

macro_rules! message {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        #[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        $(#[$doc])*
        pub struct $name {
            $(#[serde(skip_serializing_if = "crate::wire::Member::absent")] $(#[$fdoc])* pub $field: $type,)*
            /// Unknown members.
            #[serde(flatten)]
            pub extra: crate::Extra,
        }
        impl crate::wire::Member for $name {}
    )*};
}

macro_rules! record {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        #[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        $(#[$doc])*
        pub struct $name {
            $(#[serde(skip_serializing_if = "crate::wire::Member::none")] $(#[$fdoc])* pub $field: $type,)*
            /// Unknown members.
            #[serde(flatten)]
            pub extra: crate::Extra,
        }
        impl crate::wire::Member for $name {}
    )*};
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        $(#[$doc])*
        pub enum $name {
            $(#[doc = concat!("`", $text, "`.")] $(#[$vdoc])* #[serde(rename = $text)] $variant,)*
            /// A name that this crate does not know, kept as it came; empty if there was none.
            #[serde(untagged)]
            Other(String),
        }
        impl $name {
            /// The name on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(name) => name,
                }
            }
        }
        impl Default for $name {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
        impl crate::wire::Member for $name {
            fn absent(&self) -> bool {
                self.name().is_empty()
            }
        }
    )*};
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
        )]
        $(#[$doc])*
        pub struct $name {
            /// The id.
            #[serde(default)]
            pub value: String,
        }
        impl<T: Into<String>> From<T> for $name {
            fn from(value: T) -> Self {
                Self { value: value.into() }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.value)
            }
        }
        impl crate::wire::Member for $name {}
    )*};
}

macro_rules! members {
    ($name:ident { $($(#[$doc:meta])* $get:ident / $set:ident: $type:ty = $text:literal,)* }) => {
        impl $name {$(
            $(#[$doc])*
            ///
            /// Kept in `extra`; `None` if it is absent or of another shape.
            pub fn $get(&self) -> Option<$type> {
                crate::wire::member(&self.extra, $text)
            }
            #[doc = concat!("Writes `", $text, "`; `None` removes it.")]
            pub fn $set(&mut self, value: Option<&$type>) {
                crate::wire::put(&mut self.extra, $text, value);
            }
        )*}
    };
}

macro_rules! union {
    (@take $variant:path, $map:ident, $kind:ident) => { Some($variant) };
    (@take $variant:path, $map:ident, $kind:ident, $type:ty) => {
        crate::wire::take::<Box<$type>>($map, &$kind.to_ascii_lowercase()).map($variant)
    };
    (
        $(#[$doc:meta])* $name:ident { $($(#[$hdoc:meta])* $head:ident: $htype:ty,)* }
        $(#[$bdoc:meta])* $body:ident {
            $($(#[$vdoc:meta])* $variant:ident $(($type:ty))? = $kind:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $($(#[$hdoc])* pub $head: Option<$htype>,)*
            /// What it is.
            pub body: $body,
            /// Unknown members; the body too, if it is unknown.
            pub extra: crate::Extra,
        }
        $(#[$bdoc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $body {
            $(#[doc = concat!("`", $kind, "`.")] $(#[$vdoc])* $variant $((Box<$type>))?,)*
            /// A type that this crate does not know, or whose content looks otherwise
            /// than described; the content is in `extra`.
            Other(String),
        }
        impl Default for $body {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }
        impl From<$body> for $name {
            fn from(body: $body) -> Self {
                Self { body, ..Self::default() }
            }
        }
        impl crate::wire::Member for $name {}
        impl $body {
            /// The type on the wire.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$variant { .. } => $kind,)*
                    Self::Other(kind) => kind,
                }
            }
            fn take(map: &mut crate::Extra) -> Self {
                let Some(serde_json::Value::String(kind)) = map.get("type") else { return Self::default() };
                let kind = kind.clone();
                let body = match kind.as_str() {
                    $($kind => union!(@take Self::$variant, map, kind $(, $type)?),)*
                    _ => None,
                };
                map.remove("type");
                body.unwrap_or(Self::Other(kind))
            }
            fn write<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                if !self.kind().is_empty() {
                    map.serialize_entry("type", self.kind())?;
                }
                $($(if let Self::$variant(body) = self {
                    let body: &Box<$type> = body;
                    if !crate::wire::Member::absent(body) {
                        map.serialize_entry(&$kind.to_ascii_lowercase(), body)?;
                    }
                })?)*
                Ok(())
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                self.body.write(&mut map)?;
                $(if let Some(head) = &self.$head {
                    map.serialize_entry(stringify!($head), head)?;
                })*
                for (name, value) in &self.extra {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut map = crate::Extra::deserialize(deserializer)?;
                let body = $body::take(&mut map);
                Ok(Self { $($head: crate::wire::take::<Option<$htype>>(&mut map, stringify!($head)).flatten(),)* body, extra: map })
            }
        }
    };
}
