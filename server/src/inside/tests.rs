use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use padis_domain::ports::ImageStep;
use padis_domain::view::PackageOrigin;
use padis_drivers::fake::FakeRegistry;
use sha2::{Digest, Sha256};
use std::io::Write;
use tar::{Builder, EntryType, Header};

const STATUS: &str = "Package: bash\nStatus: install ok installed\nVersion: 5.2.15-2+b7\nArchitecture: amd64\nSource: bash (5.2.15-2)\n\n\
                      Package: nginx\nStatus: install ok installed\nVersion: 1.22.1-9\nArchitecture: amd64\n";
const OS: &str = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Builder::new(Vec::new());
    for (path, bytes) in entries {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        out.append_data(&mut header, path, *bytes).expect("an entry");
    }
    out.into_inner().expect("a tar")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).expect("packed");
    out.finish().expect("packed")
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

/// A registry with an image of these layers, and the image.
fn shelf(layers: &[Vec<u8>]) -> (FakeRegistry, Image) {
    let registry = FakeRegistry::new();
    let steps = layers.iter().map(|bytes| {
        let layer = (digest(bytes), bytes.len() as u64);
        registry.put_bytes(&layer.0, bytes.clone());
        ImageStep { layer: Some(layer), ..ImageStep::default() }
    });
    let image = Image { digest: digest(b"image"), steps: steps.collect(), ..Image::default() };
    registry.put_image("tools/one", "1", image.clone());
    (registry, image)
}

async fn read_layers(layers: &[Vec<u8>]) -> Result<Inside, ReadError> {
    let (registry, image) = shelf(layers);
    let scratch = tempfile::tempdir().expect("a folder");
    let read = read(&registry, "tools/one", &image, scratch.path()).await;
    let left = std::fs::read_dir(scratch.path()).expect("the folder").count();
    assert_eq!(left, 0, "nothing is left behind");
    read
}

fn names(inside: &Inside) -> Vec<(PackageOrigin, &str, &str)> {
    inside.packages.iter().map(|p| (p.origin, &*p.name, &*p.version)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_make_one_file_system_whatever_they_are_packed_with() {
    let pom = b"groupId=a.b\nartifactId=c\nversion=1.0\n";
    let mut jar = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default();
    jar.start_file("META-INF/maven/a.b/c/pom.properties", stored).expect("an entry");
    jar.write_all(pom).expect("its bytes");
    let jar = jar.finish().expect("a jar").into_inner();
    let base = tar(&[
        ("etc/os-release", OS.as_bytes()),
        ("./var/lib/dpkg/status", b"Package: old\nVersion: 1\n"),
        ("tmp/x", b"x"),
    ]);
    let next = tar(&[
        ("var/lib/dpkg/status", STATUS.as_bytes()),
        ("tmp/.wh.x", b""),
        ("opt/c.jar", &jar),
        ("opt/d.jar", &jar),
    ]);
    let last = tar(&[("opt/.wh.d.jar", b""), ("var/lib/dpkg/status.d/tzdata", b"Package: tzdata\nVersion: 2024a\n")]);
    let zstd = zstd::stream::encode_all(&next[..], 3).expect("packed");
    let inside = read_layers(&[gzip(&base), zstd, last]).await.expect("read");
    assert_eq!(
        names(&inside),
        [
            (PackageOrigin::Dpkg, "bash", "5.2.15-2+b7"),
            (PackageOrigin::Dpkg, "nginx", "1.22.1-9"),
            (PackageOrigin::Dpkg, "tzdata", "2024a"),
            (PackageOrigin::Jar, "a.b:c", "1.0"),
        ]
    );
    assert_eq!(inside.packages[1].purl, "pkg:deb/debian/nginx@1.22.1-9?arch=amd64&distro=debian-12");
    let files: Vec<_> = inside.files.iter().map(|(path, bytes, layer)| (&**path, *bytes, *layer)).collect();
    assert_eq!(
        files,
        [
            ("etc/os-release", OS.len() as u64, 0),
            ("opt/c.jar", jar.len() as u64, 1),
            ("var/lib/dpkg/status", STATUS.len() as u64, 1),
            ("var/lib/dpkg/status.d/tzdata", 31, 2),
        ]
    );
    assert_eq!(inside.notes, []);
}

/// An entry of this kind that says it has so many bytes.
fn header(kind: EntryType, path: &[u8], bytes: u64) -> Vec<u8> {
    let mut h = Header::new_gnu();
    let name = &mut h.as_old_mut().name;
    name[..path.len()].copy_from_slice(path);
    h.set_entry_type(kind);
    h.set_size(bytes);
    h.set_cksum();
    h.as_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_archives_are_told_in_words() {
    let cut = {
        let mut bytes = gzip(&tar(&[("a", &[7; 100_000])]));
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    let sum = {
        let mut bytes = tar(&[("a", b"x")]);
        bytes[0] = b'b';
        bytes
    };
    let endless = header(EntryType::GNULongName, b"././@LongLink", 10 << 30);
    let huge = header(EntryType::Regular, b"a", 100 << 30);
    let pax = header(EntryType::XHeader, b"p", 1 << 40);
    let holes: Vec<u8> = header(EntryType::GNUSparse, b"s", 0);
    let mut holes = holes;
    holes[482] = 1;
    holes[148..156].fill(b' ');
    let sum_of: u32 = holes.iter().map(|b| u32::from(*b)).sum();
    holes[148..155].copy_from_slice(format!("{sum_of:06o}\0").as_bytes());
    holes.extend([1; 5120]);
    for (what, layer, word) in [
        ("no tar", b"<html>".repeat(200), "no tar"),
        ("cut", cut, ""),
        ("sum", sum, "not sound"),
        ("endless name", endless, "256 KiB"),
        ("huge", huge, "64 GiB"),
        ("pax", pax, "GiB"),
        ("holes", holes, "middle"),
    ] {
        match read_layers(&[layer]).await {
            Err(ReadError::Image(fault)) => assert!(fault.to_string().contains(word), "{what}: {fault}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    let climbs = [header(EntryType::Regular, b"../../etc/os-release", 3), b"ID=".to_vec(), vec![0; 509]].concat();
    let inside = read_layers(&[climbs]).await.expect("read");
    assert_eq!((inside.notes, inside.os.id, inside.files.len()), (vec![InsideNote::Climbing(1)], String::new(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_and_missing_ones_are_the_registry_s_fault() {
    let layer = gzip(&tar(&[("a", b"x")]));
    let (registry, image) = shelf(std::slice::from_ref(&layer));
    let scratch = tempfile::tempdir().expect("a folder");
    let mut other = layer.clone();
    other.extend(b"behind the end");
    registry.put_bytes(&digest(&layer), other);
    for _ in 0..2 {
        let read = read(&registry, "tools/one", &image, scratch.path()).await;
        assert!(matches!(read, Err(ReadError::Port(PortError::Refused { .. }))), "{read:?}");
        registry.lose_blob(&digest(&layer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_files_are_counted() {
    let mut out = Builder::new(Vec::new());
    for n in 0..tree::MAX_FILES + 5 {
        let mut header = Header::new_gnu();
        header.set_size(0);
        out.append_data(&mut header, format!("d{}/{n}", n % 100), &b""[..]).expect("an entry");
    }
    let inside = read_layers(&[gzip(&out.into_inner().expect("a tar"))]).await.expect("read");
    assert_eq!((inside.files.len(), inside.notes), (tree::MAX_FILES, vec![InsideNote::Unlisted(5)]));
}
