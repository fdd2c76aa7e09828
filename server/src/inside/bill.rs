//! The software bill of materials of an image: CycloneDX 1.6 in JSON (ECMA-424).
//!
//! Made anew for each download, and the same each time: its serial number is made of the
//! image's digest, and its time is when the image was made. One could get it wrong with
//! licenses: an id must be one of SPDX's list, so what a database says stands as an
//! expression or a name, and components need references that differ.

use super::Os;
use crate::store::{StoreError, to_json};
use padis_domain::ports::Image;
use padis_domain::view::{Contained, PackageOrigin};
use serde_json::{Value, json};

/// What it is of.
pub struct Of<'a> {
    /// Digest.
    pub digest: &'a str,
    /// Repository.
    pub name: &'a str,
    /// Tag.
    pub tag: &'a str,
    /// What is remembered of the image.
    pub image: Option<&'a Image>,
    /// Distribution.
    pub os: &'a Os,
    /// Packages.
    pub packages: &'a [Contained],
}

/// A number of the form of a UUID that is the same for the same digest (version 8: our own).
fn serial(digest: &str) -> String {
    let hex: String = digest.chars().filter(char::is_ascii_hexdigit).collect();
    let hex = format!("{hex:0<32}");
    let end = hex.len() - 32;
    let h = &hex[end..];
    format!("urn:uuid:{}-{}-8{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..32])
}

fn hashes(digest: &str) -> Value {
    match digest.split_once(':') {
        Some(("sha256", hex)) => json!([{ "alg": "SHA-256", "content": hex }]),
        Some(("sha512", hex)) => json!([{ "alg": "SHA-512", "content": hex }]),
        _ => json!([]),
    }
}

fn component(p: &Contained, n: usize) -> Value {
    let (group, name) = match (p.origin, p.name.split_once(':')) {
        (PackageOrigin::Jar, Some((group, artifact))) => (Some(group), artifact),
        _ => (None, p.name.as_str()),
    };
    let mut properties = vec![
        json!({ "name": "padis:package:kind", "value": p.origin.as_str() }),
        json!({ "name": "padis:package:path", "value": p.path }),
    ];
    if p.source != p.name {
        properties
            .push(json!({ "name": "padis:package:source", "value": format!("{}@{}", p.source, p.source_version) }));
    }
    let mut out = json!({
        "type": "library",
        "bom-ref": format!("{}#{n}", p.purl),
        "name": name,
        "version": p.version,
        "purl": p.purl,
        "properties": properties,
    });
    if let Some(group) = group {
        out["group"] = json!(group);
    }
    if !p.license.is_empty() {
        out["licenses"] = json!([{ "license": { "name": p.license } }]);
    }
    out
}

/// The document.
pub fn write(of: &Of<'_>) -> Result<String, StoreError> {
    let root = format!("pkg:oci/{}@{}", of.name.rsplit('/').next().unwrap_or(of.name), of.digest.replace(':', "%3A"));
    let mut components: Vec<Value> = of.packages.iter().enumerate().map(|(n, p)| component(p, n)).collect();
    if !of.os.id.is_empty() {
        components.push(json!({
            "type": "operating-system",
            "bom-ref": format!("os:{}@{}", of.os.id, of.os.version),
            "name": of.os.id,
            "version": of.os.version,
            "description": of.os.name,
        }));
    }
    let references: Vec<&Value> = components.iter().map(|c| &c["bom-ref"]).collect();
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(of.digest),
        "version": 1,
        "metadata": {
            "tools": { "components": [
                { "type": "application", "name": "padis", "version": env!("CARGO_PKG_VERSION") }
            ] },
            "component": {
                "type": "container",
                "bom-ref": root,
                "name": of.name,
                "version": of.tag,
                "purl": root,
                "hashes": hashes(of.digest),
            },
        },
        "dependencies": [{ "ref": root, "dependsOn": references }],
    });
    document["components"] = json!(components);
    // The year 1 is nobody's.
    if let Some(made) = of.image.filter(|i| crate::images::made_at(i).is_some()) {
        document["metadata"]["timestamp"] = json!(made.created);
    }
    to_json("a bill of materials", &document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_bill_has_the_shape_that_cyclonedx_wants() {
        let package = |origin, name: &str, license: &str, purl: &str| Contained {
            origin,
            name: name.into(),
            version: "1.0".into(),
            source: "source".into(),
            source_version: "1".into(),
            license: license.into(),
            purl: purl.into(),
            path: "p".into(),
            ..Contained::default()
        };
        let packages = [
            package(PackageOrigin::Apk, "musl", "MIT", "pkg:apk/alpine/musl@1.0"),
            package(PackageOrigin::Jar, "a.b:c", "", "pkg:maven/a.b/c@1.0"),
            package(PackageOrigin::Jar, "a.b:c", "", "pkg:maven/a.b/c@1.0"),
        ];
        let os = Os { id: "alpine".into(), version: "3.20.1".into(), name: "Alpine Linux v3.20".into() };
        let digest = format!("sha256:{}", "ab12".repeat(16));
        let image = Image { created: "2026-11-22T08:00:00Z".into(), ..Image::default() };
        let of = Of {
            digest: &digest,
            name: "stacks/nginx",
            tag: "1.22",
            image: Some(&image),
            os: &os,
            packages: &packages,
        };
        let text = write(&of).expect("written");
        assert_eq!(text, write(&of).expect("written"), "the same each time");
        let bom: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            (&bom["bomFormat"], &bom["specVersion"], &bom["version"]),
            (&json!("CycloneDX"), &json!("1.6"), &json!(1))
        );
        // The schema's pattern.
        let serial = bom["serialNumber"].as_str().expect("a text").strip_prefix("urn:uuid:").expect("a URN");
        uuid::Uuid::parse_str(serial).expect("a UUID");
        let root = &bom["metadata"]["component"];
        assert_eq!((&root["type"], &root["hashes"][0]["content"]), (&json!("container"), &json!("ab12".repeat(16))));
        assert_eq!(bom["metadata"]["timestamp"], json!("2026-11-22T08:00:00Z"));
        let all = bom["components"].as_array().expect("a list");
        let references: BTreeSet<&str> = all.iter().map(|c| c["bom-ref"].as_str().expect("a text")).collect();
        assert_eq!((all.len(), references.len()), (4, 4), "references differ");
        assert_eq!(all[0]["licenses"][0]["license"]["name"], json!("MIT"));
        assert_eq!(
            (&all[1]["group"], &all[1]["name"], &all[1]["purl"]),
            (&json!("a.b"), &json!("c"), &json!("pkg:maven/a.b/c@1.0"))
        );
        assert!(all[1].get("licenses").is_none());
        assert_eq!(bom["dependencies"][0]["dependsOn"].as_array().expect("a list").len(), 4);
        assert_eq!(bom["dependencies"][0]["ref"], root["bom-ref"]);
    }
}
