//! An OpenAI-compatible server of Mistral models, to start from: `cargo run --manifest-path examples/server/Cargo.toml`.

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use lexopt::Parser;
use mistral_chat_template::conversation::Window;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::options::{HELP, Options};
use crate::session::Sessions;
use crate::state::State;
use crate::tokens::Tokens;

mod api;
#[path = "../../preview/blocks.rs"]
mod blocks;
mod body;
mod engine;
mod fault;
mod generate;
#[allow(dead_code, reason = "a browser wraps lines itself")]
#[path = "../../preview/glyphs.rs"]
mod glyphs;
#[path = "../../preview/html.rs"]
mod html;
mod metrics;
mod model;
mod options;
mod page;
mod params;
mod reply;
mod sampler;
mod session;
mod state;
mod tokens;
#[path = "../../support/vocabulary.rs"]
mod vocabulary;

/// The seed of the tiny model: the same at every start.
const SEED: u64 = 25;

fn main() -> ExitCode {
    let options = match Options::parse(Parser::from_env()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}\n\nSee --help for what there is.");
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let address = SocketAddr::new(options.host, options.port);
    let patience = Duration::try_from_secs_f32(options.patience)?;
    let state = Arc::new(state(options, patience)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("http://{}", listener.local_addr()?);
        io::stdout().flush()?;
        serve(listener, api::router(state), patience).await;
        Ok(())
    })
}

fn state(options: Options, patience: Duration) -> Result<State, Box<dyn Error>> {
    let beside = options.model.as_ref().map(|folder| folder.join("tekken.json"));
    let tokens = Arc::new(Tokens::open(options.vocabulary.as_deref().or(beside.as_deref()))?);
    let model = match &options.model {
        Some(folder) => Model::open(folder)?,
        None => Model::random(tokens.len(), tokens.end(), SEED)?,
    };
    let layout = options.layout.map_or(Ok(tokens.layout), |name| name.parse())?;
    layout.check_tokenizer(&*tokens)?;
    let folder = options.model.as_deref().and_then(|folder| folder.file_name());
    let context = model.config.max_position_embeddings;
    let context = options.context.unwrap_or(context).min(context);
    let budget = context.saturating_sub(options.answer);
    let low_water = |share: f32| (budget as f64 * f64::from(share)) as usize;
    let window = options.fit.map(|share| Window::new(budget).with_low_water(low_water(share)));
    Ok(State {
        name: folder.map_or_else(|| "tiny".to_owned(), |name| name.to_string_lossy().into_owned()),
        versions: state::versions(&tokens),
        layout,
        context,
        answer: options.answer,
        engine: Engine::new(model, options.conversations),
        sessions: Arc::new(Sessions::new(Arc::clone(&tokens), options.conversations, window)),
        tokens,
        metrics: Metrics::new(),
        body: options.body,
        patience,
        running: Arc::new(Semaphore::new(options.parallel.max(1))),
        waiting: Arc::new(Semaphore::new(options.queue.max(1))),
    })
}

/// Serves until a signal comes, and then until the answers that were begun have ended.
async fn serve(listener: TcpListener, router: Router, patience: Duration) {
    let connections = GracefulShutdown::new();
    let mut signal = std::pin::pin!(signal());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => connect(stream, router.clone(), patience, &connections),
                // There are too many open files, or the client has gone.
                Err(error) => {
                    eprintln!("accept: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            () = &mut signal => break,
        }
    }
    drop(listener);
    eprintln!("waiting for {} connections; again to stop at once", connections.count());
    tokio::select! {
        () = connections.shutdown() => {}
        () = self::signal() => {}
    }
}

fn connect(stream: TcpStream, router: Router, patience: Duration, connections: &GracefulShutdown) {
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // A client that goes away, or is too slow, is no fault of the server.
        let _: Result<(), hyper::Error> = connection.await;
        Ok::<_, Infallible>(())
    });
}

/// Ends when the process is to end.
async fn signal() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
