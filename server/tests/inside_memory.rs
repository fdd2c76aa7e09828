//! Memory does not grow with the size of a layer that is read. A test program of its own:
//! the memory of its process is what is measured, and nothing else may run in it.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::ports::{CopyBlob, Image, ImageStep, ManifestBytes, PortResult, Registry, StackImage};
use tar::Header;

const GIB: u64 = 1 << 30;
const PIECE: usize = 64 << 10;
const STATUS: &[u8] = b"Package: bash\nStatus: install ok installed\nVersion: 5.2.15-2+b7\nArchitecture: amd64\n";

/// A registry with one layer, which is made while it is read: a file of ten GiB, and a
/// package database behind it.
struct Large;

fn header(path: &str, bytes: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_path(path).expect("a path");
    header.set_size(bytes);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[async_trait]
impl Registry for Large {
    async fn stacks(&self) -> PortResult<Vec<StackImage>> {
        Ok(Vec::new())
    }
    async fn has(&self, _: &str, _: &str) -> PortResult<bool> {
        Ok(true)
    }
    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
    async fn repositories(&self) -> PortResult<Vec<String>> {
        Ok(Vec::new())
    }
    async fn tags(&self, _: &str) -> PortResult<Vec<String>> {
        Ok(Vec::new())
    }
    async fn digest(&self, _: &str, _: &str) -> PortResult<Option<String>> {
        Ok(None)
    }
    async fn image(&self, _: &str, _: &str) -> PortResult<Option<Image>> {
        Ok(None)
    }
    async fn manifests(&self, _: &str, _: &str) -> PortResult<Vec<ManifestBytes>> {
        Ok(Vec::new())
    }
    async fn delete(&self, _: &str, _: &str) -> PortResult<()> {
        Ok(())
    }
    fn blob<'a>(&'a self, _: &'a str, _: &'a CopyBlob) -> BoxStream<'a, PortResult<Vec<u8>>> {
        let mut end = header("var/lib/dpkg/status", STATUS.len() as u64);
        end.extend_from_slice(STATUS);
        end.resize(end.len().next_multiple_of(512) + 1024, 0);
        let zeros = (0..10 * GIB / PIECE as u64).map(|_| vec![0; PIECE]);
        let all = std::iter::once(header("data/large.bin", 10 * GIB)).chain(zeros).chain([end]);
        stream::iter(all.map(Ok)).boxed()
    }
}

/// This process's resident set (`VmRSS`) or the largest that it was so far (`VmHWM`), in MiB.
fn memory(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the state of this process");
    let line = status.lines().find(|l| l.starts_with(which)).expect("a line");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_gibibytes_pass_through_a_few_mebibytes() {
    let layer = Some(("sha256:large".to_owned(), 10 * GIB));
    let image = Image { steps: vec![ImageStep { layer, ..ImageStep::default() }], ..Image::default() };
    let scratch = tempfile::tempdir().expect("a folder");
    let before = memory("VmRSS:");
    let inside = padis_server::inside::read(&Large, "a", &image, scratch.path()).await.expect("read");
    let grown = memory("VmHWM:") - before;
    println!("{grown} MiB more at its peak");
    assert_eq!((inside.packages[0].name.as_str(), inside.files[0].1), ("bash", 10 * GIB));
    assert!(grown < 32, "{grown} MiB more at its peak");
}
