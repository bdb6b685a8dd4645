//! Nothing outlives the run. Each process that it starts leads a group of its own, which is killed whole: nginx' workers
//! would outlive a master that is killed alone. A part that ends by itself drops what it has started; this is for a run
//! that is told to stop (Ctrl-C among others), or whose parent is gone and with it whoever would read the outcome.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::process::parent_id,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    time::sleep,
};

/// How often the parent is looked for.
const LOOK: Duration = Duration::from_millis(200);
/// What a shell calls the status of who was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

static LEFT: Mutex<Left> = Mutex::new(Left { groups: BTreeSet::new(), folders: BTreeSet::new() });

/// What there is to remove.
struct Left {
    groups: BTreeSet<u32>,
    folders: BTreeSet<PathBuf>,
}

fn left() -> MutexGuard<'static, Left> {
    LEFT.lock()
}

/// This process leads a group that is to be ended.
pub(crate) fn add_group(leader: u32) {
    left().groups.insert(leader);
}

/// Kills a group, whether its leader has ended or not.
pub(crate) fn kill_group(leader: u32) {
    if left().groups.remove(&leader) {
        kill(&[leader]);
    }
}

/// This folder is to be removed.
pub(crate) fn add_folder(path: &Path) {
    left().folders.insert(path.to_owned());
}

/// Removes a folder.
pub(crate) fn remove_folder(path: &Path) {
    left().folders.remove(path);
    fs::remove_dir_all(path).ok();
}

/// From now on nothing is left behind, however this run is told to stop.
pub(crate) fn watch() -> anyhow::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] = {
        let _entered = runtime.enter();
        let [interrupt, terminate, hangup] = kinds.map(signal);
        [interrupt?, terminate?, hangup?]
    };
    let parent = parent_id();
    let until_told = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            () = async { while parent_id() == parent { sleep(LOOK).await } } => {}
        }
    };
    let wait = move || {
        runtime.block_on(until_told);
        end();
    };
    thread::Builder::new().name("stop".to_owned()).spawn(wait).context("no thread")?;
    Ok(())
}

#[expect(clippy::exit, reason = "the parts cannot be asked to stop, and nothing of them is left")]
fn end() {
    // Held to the end, so that nobody starts or removes anything more.
    let left = left();
    kill(&left.groups.iter().copied().collect::<Vec<_>>());
    for folder in &left.folders {
        fs::remove_dir_all(folder).ok();
    }
    process::exit(INTERRUPTED);
}

fn kill(groups: &[u32]) {
    if !groups.is_empty() {
        let groups = groups.iter().map(|group| format!("-{group}"));
        Command::new("kill").args(["-KILL", "--"]).args(groups).stderr(Stdio::null()).status().ok();
    }
}
