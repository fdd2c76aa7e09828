//! Fields of forms that carry files.

use axum::extract::multipart::Field;
use futures::StreamExt;
use std::time::Duration;

/// After a refusal we listen on for so long, throwing away.
const LISTEN_ON: Duration = Duration::from_secs(10);

/// A text field of at most so many bytes; anything longer is cut.
pub async fn text(mut field: Field<'_>, most: usize) -> String {
    let mut out = Vec::new();
    while let Some(Ok(bytes)) = field.next().await {
        out.extend_from_slice(&bytes[..bytes.len().min(most.saturating_sub(out.len()))]);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What is left of a field, for a while.
pub async fn drain(mut field: Field<'_>) {
    let all = async { while let Some(Ok(_)) = field.next().await {} };
    let _had_enough = tokio::time::timeout(LISTEN_ON, all).await;
}
