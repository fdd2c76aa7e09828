//! Certificates of authorities of our own, by openssl.

use std::path::Path;
use std::process::Command;

const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

fn openssl(args: &[&str], folder: &Path) {
    let out = Command::new("openssl").args(args).current_dir(folder).output();
    let out = out.unwrap_or_else(|e| panic!("openssl (Debian's package) is needed: {e}"));
    assert!(out.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// An authority: `NAME.crt` and `NAME.key`.
pub fn authority(folder: &Path, name: &str) {
    let (key, crt, subject) = (format!("{name}.key"), format!("{name}.crt"), format!("/CN=Test {name}"));
    let ca = ["req", "-x509", "-keyout", &key, "-out", &crt, "-days", "2", "-subj", &subject];
    openssl(&[&ca[..], &KEY].concat(), folder);
}

/// A server's certificate signed by an authority: `NAME.crt` and `NAME.key`; `names` as
/// openssl writes them, `DNS:localhost,IP:127.0.0.1`.
pub fn server(folder: &Path, ca: &str, name: &str, names: &str) {
    let (key, csr) = (format!("{name}.key"), format!("{name}.csr"));
    let request = ["req", "-keyout", &key, "-out", &csr, "-subj", "/CN=localhost"];
    openssl(&[&request[..], &KEY].concat(), folder);
    let file = format!("{name}.names");
    std::fs::write(folder.join(&file), format!("subjectAltName={names}")).unwrap();
    let sign = format!(
        "x509 -req -in {csr} -CA {ca}.crt -CAkey {ca}.key -CAcreateserial -days 2 -out {name}.crt -extfile {file}"
    );
    openssl(&sign.split(' ').collect::<Vec<_>>(), folder);
}
