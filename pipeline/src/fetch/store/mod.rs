//! Pictures in stores: buckets and folders that the operator named, reached with what the environment says of them.

mod connector;
mod crypto;
mod prefix;

use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use http_body_util::LengthLimitError;
use object_store::aws::AmazonS3Builder;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{GetOptions, ObjectStore, RetryConfig};
use tokio::task::spawn_blocking;

use super::body::Source;
use super::link::LONGEST;
use super::web::KEPT;
use super::{FetchFault, Limits};
use connector::{Answered, Connector};
use crypto::OpenSsl;
pub(crate) use prefix::Prefix;
use prefix::{Scheme, file};

pub(super) struct Stores(Vec<Arc<Store>>);

struct Store {
    prefix: Prefix,
    client: Arc<dyn ObjectStore>,
}

/// What a link to a store leads to.
pub(super) struct Object {
    store: Arc<Store>,
    path: Location,
}

impl Stores {
    pub(super) fn new(
        prefixes: Vec<Prefix>,
        s3: &AmazonS3Builder,
        gs: &GoogleCloudStorageBuilder,
        limits: &Limits,
    ) -> Result<Self, anyhow::Error> {
        let connector = Connector { connect: limits.connect, kept: KEPT, bytes: limits.bytes };
        let store = |prefix: Prefix| -> Result<Arc<Store>, anyhow::Error> {
            let client = client(&prefix, s3, gs, &connector)?;
            Ok(Arc::new(Store { prefix, client }))
        };
        prefixes.into_iter().map(store).collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// Where a link leads; nowhere when it begins with no prefix, or could lead out of it.
    pub(super) fn find(&self, link: &str) -> Option<Object> {
        let at = |store: &Arc<Store>| Some(Object { path: store.prefix.locate(link)?, store: store.clone() });
        self.0.iter().filter(|_| link.len() <= LONGEST).find_map(at)
    }
}

/// What reads a store. It never tries again: that is done here, as for the web.
fn client(
    prefix: &Prefix,
    s3: &AmazonS3Builder,
    gs: &GoogleCloudStorageBuilder,
    connector: &Connector,
) -> Result<Arc<dyn ObjectStore>, anyhow::Error> {
    let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    // Not the cause, which may repeat a secret.
    let unsound = |names: &str| anyhow!("pictures.stores: {}: the environment's {names} cannot be used", prefix.place());
    match prefix.scheme() {
        Scheme::S3 => {
            let store = s3.clone().with_bucket_name(prefix.bucket()).with_retry(retry);
            let store = store.with_crypto_provider(Arc::new(OpenSsl)).with_http_connector(connector.clone());
            Ok(Arc::new(store.build().map_err(|_| unsound("AWS_ variables"))?))
        }
        Scheme::Gs => {
            let store = gs.clone().with_bucket_name(prefix.bucket()).with_retry(retry);
            let store = store.with_crypto_provider(Arc::new(OpenSsl)).with_http_connector(connector.clone());
            Ok(Arc::new(store.build().map_err(|_| unsound("GOOGLE_ variables"))?))
        }
        Scheme::File if !prefix.folder().is_dir() => bail!("pictures.stores: {} is no folder", prefix.folder().display()),
        Scheme::File => Ok(Arc::new(LocalFileSystem::new())),
    }
}

impl Object {
    /// Scheme and bucket: what is bounded and left alone as one.
    pub(super) fn place(&self) -> &str {
        self.store.prefix.place()
    }

    /// The same for all links that lead to it.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.place(), self.path)
    }

    /// Begins to read it.
    pub(super) async fn open(&self) -> Result<Source, FetchFault> {
        let path = match self.store.prefix.scheme() {
            Scheme::S3 | Scheme::Gs => self.path.clone(),
            Scheme::File => {
                let (folder, path) = (self.store.prefix.folder(), file(&self.path));
                spawn_blocking(move || within(&folder, &path)).await.map_err(|_| FetchFault::Busy)??
            }
        };
        let found = self.store.client.get_opts(&path, GetOptions::default()).await.map_err(|e| fault(&e))?;
        Ok(Source::Stored(found.meta.size, found.into_stream()))
    }
}

/// Where a file really is. A symbolic link must not lead out of the folder; and what is no regular file may never end.
fn within(folder: &Path, path: &Path) -> Result<Location, FetchFault> {
    let missing = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => FetchFault::Status(404),
        io::ErrorKind::PermissionDenied => FetchFault::NotPermitted,
        _ => FetchFault::CutOff,
    };
    let real = path.canonicalize().map_err(missing)?;
    if !real.starts_with(folder.canonicalize().map_err(missing)?) {
        return Err(FetchFault::ForbiddenAddress);
    }
    match real.metadata().map_err(missing)?.is_file() {
        true => Location::from_absolute_path(&real).map_err(|_| FetchFault::NotALink),
        false => Err(FetchFault::Status(404)),
    }
}

/// Why a store gave nothing.
pub(super) fn fault(error: &object_store::Error) -> FetchFault {
    match error {
        object_store::Error::NotFound { .. } => FetchFault::Status(404),
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => FetchFault::NotPermitted,
        _ => {
            let error: &(dyn StdError + 'static) = error;
            successors(Some(error), |&cause| cause.source()).find_map(known).unwrap_or(FetchFault::CutOff)
        }
    }
}

/// What one cause of an error means.
fn known(cause: &(dyn StdError + 'static)) -> Option<FetchFault> {
    if let Some(error) = cause.downcast_ref::<HttpError>() {
        return match error.kind() {
            HttpErrorKind::Timeout => Some(FetchFault::TimedOut),
            HttpErrorKind::Connect => Some(FetchFault::Unreachable),
            _ => None,
        };
    }
    if let Some(Answered(status)) = cause.downcast_ref::<Answered>() {
        return Some(FetchFault::Status(*status));
    }
    if cause.is::<LengthLimitError>() {
        return Some(FetchFault::TooManyBytes);
    }
    let denied = cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::PermissionDenied);
    denied.then_some(FetchFault::NotPermitted)
}
