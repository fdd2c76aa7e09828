use super::make::*;
use super::*;
use padis_domain::package::PackageKind;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn manifest(lines: &str) -> Vec<u8> {
    format!("Manifest-Version: 1.0\r\n{lines}\r\n\r\n").into_bytes()
}

#[test]
fn a_site() {
    let f = look(&zip(&[("index.html", b"<h1>hi</h1>"), ("css/", b""), ("css/a.css", b"a{}")])).expect("site");
    assert_eq!((f.kind, f.files, f.unpacked_bytes), (PackageKind::Zip, 2, 14));
    assert_eq!(f.site_root.as_deref(), Some(""));
}

#[test]
fn a_site_in_a_folder_with_its_version() {
    let package = b"{\"name\":\"x\",\"version\":\"5.3.2\"}";
    let entries: [(&str, &[u8]); 4] = [
        ("package/package.json", package),
        ("package/test/index.html", b"t"),
        ("package/dist/index.html", b"d"),
        ("package/dist/js/index.html", b"deeper"),
    ];
    let f = look(&site_tar(&entries)).expect("site");
    assert_eq!((f.kind, f.version.as_deref()), (PackageKind::TarGz, Some("5.3.2")));
    assert_eq!(f.site_root.as_deref(), Some("package/dist"));
}

#[test]
fn a_war_for_either_servlet_api() {
    let war = |names: &str| {
        let class = class(61, names);
        look(&zip(&[("WEB-INF/web.xml", b"<web-app/>"), ("WEB-INF/classes/A.class", &class)])).expect("war")
    };
    let f = war("javax/servlet/http/HttpServlet");
    assert_eq!((f.kind, f.class_major, f.javax), (PackageKind::War, Some(61), true));
    assert!(!war("jakarta/servlet/http/HttpServlet").javax);
    assert!(!war("java/lang/Object").javax);
}

#[test]
fn a_spring_boot_jar() {
    let m = manifest(
        "Main-Class: org.springframework.boot.loader.launch.JarLauncher\r\nStart-Class: bank.App\r\nImplementation-Version: 2.4",
    );
    let c = class(65, "bank/App");
    let newer = class(67, "bank/App");
    let f = look(&zip(&[
        ("META-INF/MANIFEST.MF", &m),
        ("BOOT-INF/classes/bank/App.class", &c),
        ("META-INF/versions/23/bank/App.class", &newer),
        ("BOOT-INF/lib/spring-boot-3.2.1.jar", b"PK.."),
        ("BOOT-INF/lib/spring-boot-actuator-3.2.1.jar", b"PK.."),
    ]));
    let f = f.expect("jar");
    assert_eq!((f.kind, f.class_major), (PackageKind::Jar, Some(65)));
    assert_eq!((f.main_class.as_deref(), f.version.as_deref()), (Some("bank.App"), Some("2.4")));
    assert_eq!(
        (f.built_with, f.health_path.as_deref()),
        (vec!["Spring Boot 3.2.1".to_owned()], Some("/actuator/health"))
    );
}

#[test]
fn what_it_is_not_said_to_be() {
    let m = manifest("Created-By: x");
    let c = class(61, "");
    assert_eq!(look(&zip(&[("META-INF/MANIFEST.MF", &m), ("A.class", &c)])), Err(PackageFault::NoMainClass));
    assert_eq!(look(&zip(&[("readme.txt", b"x")])), Err(PackageFault::NoIndexPage));
    assert_eq!(look(&zip(&[])), Err(PackageFault::NoIndexPage));
    assert_eq!(look(b""), Err(PackageFault::Empty));
    let text = PackageFault::NotAnArchive { looks_like: "text".into() };
    assert_eq!(look(b"this is not a war"), Err(text));
    let gzip = PackageFault::NotAnArchive { looks_like: "gzip".into() };
    assert_eq!(look(&gz(&[b'x'; 5000])), Err(gzip));
}

#[test]
fn sizes_behind_the_data_are_fine() {
    let f = look(&streamed_zip(&[("index.html", b"hello hello hello"), ("empty", b"")])).expect("site");
    assert_eq!((f.files, f.unpacked_bytes), (2, 17));
}

#[test]
fn long_names_in_tar_are_read() {
    let long = format!("{}/index.html", "x".repeat(120));
    let mut b = tar::Builder::new(Vec::new());
    let mut h = tar::Header::new_gnu();
    h.set_size(2);
    h.set_cksum();
    b.append_data(&mut h, &long, &b"hi"[..]).expect("tar");
    let f = look(&gz(&b.into_inner().expect("tar"))).expect("site");
    assert_eq!(f.site_root, Some("x".repeat(120)));
    let path = format!("path={long}\n");
    let record = format!("{} {path}", path.len() + 4);
    let pax =
        tar(&[("pax", tar::EntryType::XHeader, "", record.as_bytes()), ("short", tar::EntryType::Regular, "", b"hi")]);
    assert_eq!(look(&gz(&pax)).expect("site").site_root, Some("x".repeat(120)));
}

fn tree_of(folder: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(d) = todo.pop() {
        for e in std::fs::read_dir(&d).expect("folder") {
            let e = e.expect("entry");
            if e.file_type().expect("type").is_dir() {
                todo.push(e.path());
            } else {
                let name = e.path().strip_prefix(folder).expect("below").to_str().expect("text").to_owned();
                out.insert(name, std::fs::read(e.path()).expect("read"));
            }
        }
    }
    out
}

#[test]
fn a_tree_is_unpacked_for_everybody_to_read_from_its_root() {
    use std::os::unix::fs::PermissionsExt;
    let z = zip(&[("x/readme", b"no"), ("x/dist/index.html", b"yes"), ("x/dist/a/b.js", b"js"), ("__MACOSX/x", b"no")]);
    let f = look(&z).expect("site");
    let to = tempfile::tempdir().expect("folder");
    let root = f.site_root.expect("root");
    unpack(&file(&z), z.len() as u64, f.kind, &LIMITS, &root, to.path(), &|| Ok(())).expect("unpack");
    let want = BTreeMap::from([("index.html".to_owned(), b"yes".to_vec()), ("a/b.js".to_owned(), b"js".to_vec())]);
    assert_eq!(tree_of(to.path()), want);
    let mode = |p: &str| std::fs::metadata(to.path().join(p)).expect("there").permissions().mode() & 0o7777;
    assert_eq!((mode("index.html"), mode("a"), mode("")), (0o644, 0o755, 0o755));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn what_goes_in_comes_out(
        files in proptest::collection::btree_map("[a-z]{1,6}(/[A-Z][a-z]{0,6}){0,3}\\.x", proptest::collection::vec(any::<u8>(), 0..2000), 0..12),
        tarred in any::<bool>(), streamed in any::<bool>(),
    ) {
        let mut all: Vec<(&str, &[u8])> = files.iter().map(|(n, d)| (n.as_str(), d.as_slice())).collect();
        all.push(("index.html", b"hi"));
        let bytes = match (tarred, streamed) {
            (true, _) => site_tar(&all),
            (false, true) => streamed_zip(&all),
            (false, false) => zip(&all),
        };
        let f = look(&bytes).expect("site");
        prop_assert_eq!(f.files as usize, all.len());
        let to = tempfile::tempdir().expect("folder");
        unpack(&file(&bytes), bytes.len() as u64, f.kind, &LIMITS, "", to.path(), &|| Ok(())).expect("unpack");
        let want: BTreeMap<String, Vec<u8>> = all.iter().map(|(n, d)| ((*n).to_owned(), d.to_vec())).collect();
        prop_assert_eq!(&tree_of(to.path()), &want);
        // The same in one reading.
        let once = tempfile::tempdir().expect("folder");
        let (facts, unpacked) = inspect_into(&file(&bytes), &LIMITS, &Notes::new(), once.path(), &|| Ok(())).expect("site");
        prop_assert!(unpacked);
        prop_assert_eq!((facts, &tree_of(once.path())), (f, &want));
    }
}

#[test]
fn only_what_may_be_a_site_is_unpacked_while_it_is_checked() {
    let war = zip(&[("WEB-INF/web.xml", b"<web-app/>"), ("index.html", b"hi")]);
    let to = tempfile::tempdir().expect("folder");
    let (facts, unpacked) = inspect_into(&file(&war), &LIMITS, &Notes::new(), to.path(), &|| Ok(())).expect("war");
    assert_eq!((facts.kind, unpacked), (PackageKind::War, false));
    assert!(tree_of(to.path()).is_empty());
}

#[test]
fn a_disk_without_room_ends_the_unpacking() {
    // Noise: what compresses well would be refused as a bomb.
    let mut x = 1_u64;
    let mut noise = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x.to_le_bytes()
    };
    let big: Vec<u8> = std::iter::repeat_with(&mut noise).take((65 << 20) / 8).flatten().collect();
    let site = zip(&[("index.html", b"hi"), ("big", &big)]);
    let to = tempfile::tempdir().expect("folder");
    let full = || Err(std::io::ErrorKind::StorageFull.into());
    let refused =
        inspect_into(&file(&site), &Limits { unpacked_bytes: 1 << 30, ..LIMITS }, &Notes::new(), to.path(), &full);
    assert!(matches!(refused, Err(Refusal::Io(e)) if e.kind() == std::io::ErrorKind::StorageFull));
}
