//! The state behind one instance: everything that its imports reach, and nothing that another one can.

mod errors;
mod http_objects;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use wasmhost_protocol::policy::Limits;
use wasmtime::component::{InstancePre, ResourceTable};
use wasmtime::{CallHook, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::control::Control;
use crate::limits::StoreLimiter;
use crate::meter::Meter;
use crate::output::{Output, StderrTail};
use crate::powers::{Denials, DenyHttp, deny_wasi, http_context};
use crate::refusals::Refusals;
use crate::request::JobContext;
use crate::updates::GuestUpdates;
pub(crate) use errors::{CpuTimeUsedUp, ImportLimitExceeded};
use http_objects::HttpObjects;

/// The most of the host's memory that what a task returns may take while it is turned into JSON; a value takes 40 to 48 bytes.
pub(crate) const RESULT_BYTES: u64 = 64 << 20;
/// The same, where the guest's own memory is all used up.
const LEAST_RESULT_BYTES: u64 = 8 << 20;
/// What a guest may hand over in one call of an import, beyond the largest thing that it may post.
const IMPORT_BYTES: u64 = 4 << 20;

/// What outlives the store: read by the attempt when the guest is gone.
#[derive(Clone)]
pub(crate) struct Observations {
    pub(crate) meter: Arc<Meter>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) denials: Denials,
    pub(crate) stderr: StderrTail,
}

impl Observations {
    pub(crate) fn start(limits: &Limits) -> Self {
        Self {
            meter: Arc::new(Meter::start(limits.cpu)),
            refusals: Arc::default(),
            denials: Denials::default(),
            stderr: StderrTail::default(),
        }
    }
}

/// What the task's own imports work with.
pub(crate) struct TaskState {
    pub(crate) job: JobContext,
    pub(crate) ends_at: Instant,
    pub(crate) limits: Limits,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) checkpoint: Option<Bytes>,
    pub(crate) updates: Arc<GuestUpdates>,
    pub(crate) control: Arc<Control>,
    pub(crate) refusals: Arc<Refusals>,
}

/// The data of a store.
pub(crate) struct Guest {
    pub(crate) task: TaskState,
    meter: Arc<Meter>,
    limiter: StoreLimiter,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    http_objects: HttpObjects,
    deny_http: DenyHttp,
    table: ResourceTable,
}

impl Guest {
    /// A fresh store for one attempt at a component; `host_bytes_per_charge` is what its results cost.
    pub(crate) fn store(
        pre: &InstancePre<Self>,
        task: TaskState,
        observed: &Observations,
        host_bytes_per_charge: f64,
    ) -> Store<Self> {
        let handles = task.limits.handles as usize;
        let mut store = Store::new(pre.engine(), Self::new(task, observed));
        store.limiter(|guest| &mut guest.limiter);
        let limits = &store.data().task.limits;
        let import_charge = charge(limits.checkpoint_bytes.max(limits.meta_bytes) + IMPORT_BYTES, 1.0);
        store.call_hook(move |store, hook| {
            bound_call(store, hook, import_charge, host_bytes_per_charge);
            Ok(())
        });
        store.set_max_component_handles(handles);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(at_epoch);
        store
    }

    fn new(task: TaskState, observed: &Observations) -> Self {
        let stdout = Output::stdout(task.updates.clone(), observed.refusals.clone());
        let stderr = Output::stderr(task.updates.clone(), observed.stderr.clone());
        let mut table = ResourceTable::new();
        table.set_max_capacity(task.limits.handles as usize);
        Self {
            meter: observed.meter.clone(),
            limiter: StoreLimiter::new(&task.limits, observed.meter.clone(), observed.refusals.clone()),
            wasi: deny_wasi(task.job.task.module().as_str(), stdout, stderr, observed.denials.clone()),
            http: http_context(),
            http_objects: HttpObjects::default(),
            deny_http: DenyHttp(observed.denials.clone()),
            table,
            task,
        }
    }

    /// What HTTP objects there are, and where they stand.
    pub(crate) fn http_objects(&mut self) -> (&mut HttpObjects, &mut ResourceTable) {
        (&mut self.http_objects, &mut self.table)
    }

    pub(crate) fn denials(&mut self) -> &mut Denials {
        &mut self.deny_http.0
    }
}

/// Bounds what the next crossing may copy into the host: little where an import is called; where the guest returned, as much as its
/// own memory leaves of its limit, since the values stand beside it until it is dropped.
fn bound_call(
    mut store: StoreContextMut<'_, Guest>,
    hook: CallHook,
    import_charge: usize,
    host_bytes_per_charge: f64,
) {
    match hook {
        CallHook::CallingHost => store.set_hostcall_fuel(import_charge),
        CallHook::ReturningFromWasm => {
            let room = store.data().limiter.memory_left().clamp(LEAST_RESULT_BYTES, RESULT_BYTES);
            store.set_hostcall_fuel(charge(room, host_bytes_per_charge));
        }
        CallHook::CallingWasm | CallHook::ReturningFromHost => {}
    }
}

fn charge(bytes: u64, host_bytes_per_charge: f64) -> usize {
    (bytes as f64 / host_bytes_per_charge) as usize
}

/// Runs every 10 ms of a computing guest. Without the runtime's own yield its timers would starve.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands the context over")]
fn at_epoch(store: StoreContextMut<'_, Guest>) -> wasmtime::Result<UpdateDeadline> {
    let guest = store.data();
    if guest.meter.cpu_is_used_up() {
        return Err(CpuTimeUsedUp.into());
    }
    if !guest.task.control.is_frozen() {
        return Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())));
    }
    let control = guest.task.control.clone();
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(async move { control.thawed().await })))
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.deny_http }
    }
}
