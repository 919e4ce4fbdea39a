//! The state behind one instance: everything that the imports of a guest reach, and nothing that another guest can
//! reach.

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

/// The most memory of the host that the result of a task may take while it is turned into JSON, in bytes. A value takes
/// 40 to 48 of them.
pub(crate) const RESULT_BYTES: u64 = 64 << 20;
/// What the result may take even if the guest's own memory is all used up, in bytes.
const MIN_RESULT_BYTES: u64 = 8 << 20;
/// What a guest may hand over in one call of an import, beyond the largest checkpoint or meta, in bytes.
const IMPORT_BYTES: u64 = 4 << 20;

/// What is observed of a guest. It outlives the store, and the attempt reads it when the guest is gone.
#[derive(Clone)]
pub(crate) struct Observations {
    /// What the attempt has used.
    pub(crate) meter: Arc<Meter>,
    /// The memory and tables that it was refused.
    pub(crate) refusals: Arc<Refusals>,
    /// The powers that it was denied.
    pub(crate) denials: Denials,
    /// What it wrote to standard error last.
    pub(crate) stderr: StderrTail,
}

impl Observations {
    /// Begins to observe an attempt; its wall time starts now.
    pub(crate) fn start(limits: &Limits) -> Self {
        Self {
            meter: Arc::new(Meter::start(limits.cpu)),
            refusals: Arc::default(),
            denials: Denials::default(),
            stderr: StderrTail::default(),
        }
    }
}

/// What the imports of `wasmhost:task` work with.
pub(crate) struct TaskState {
    pub(crate) job: JobContext,
    /// When the attempt is ended.
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
    /// Makes a fresh store for one attempt. `host_bytes_per_charge` is what the values of the task's result cost the
    /// host.
    pub(crate) fn store(
        pre: &InstancePre<Self>,
        task: TaskState,
        observations: &Observations,
        host_bytes_per_charge: f64,
    ) -> Store<Self> {
        let handles = task.limits.handles as usize;
        let largest_post = task.limits.checkpoint_bytes.max(task.limits.meta_bytes);
        let import_charge = charge(largest_post + IMPORT_BYTES, 1.0);
        let mut store = Store::new(pre.engine(), Self::new(task, observations));
        store.limiter(|guest| &mut guest.limiter);
        store.call_hook(move |store, hook| {
            bound_call(store, hook, import_charge, host_bytes_per_charge);
            Ok(())
        });
        store.set_max_component_handles(handles);
        // Every tick calls back, so that the CPU limit is compared every 10 ms.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(at_epoch);
        store
    }

    fn new(task: TaskState, observations: &Observations) -> Self {
        let Observations { meter, refusals, denials, stderr } = observations;
        let stdout = Output::stdout(task.updates.clone(), refusals.clone());
        let stderr = Output::stderr(task.updates.clone(), stderr.clone());
        let mut table = ResourceTable::new();
        table.set_max_capacity(task.limits.handles as usize);
        Self {
            meter: meter.clone(),
            limiter: StoreLimiter::new(&task.limits, meter.clone(), refusals.clone()),
            wasi: deny_wasi(task.job.task.module().as_str(), stdout, stderr, denials.clone()),
            http: http_context(),
            http_objects: HttpObjects::default(),
            deny_http: DenyHttp(denials.clone()),
            table,
            task,
        }
    }

    /// The count of HTTP objects, and the table that they are in.
    pub(crate) fn http_objects(&mut self) -> (&mut HttpObjects, &mut ResourceTable) {
        (&mut self.http_objects, &mut self.table)
    }

    /// The resources of WASI that the guest holds.
    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// The powers that the guest was denied.
    pub(crate) fn denials(&mut self) -> &mut Denials {
        &mut self.deny_http.0
    }
}

/// Bounds what the next crossing may copy into the host. A call of an import may copy little. A function that returned
/// may copy as much as its own memory leaves of its limit, since its values stand in the host beside that memory.
fn bound_call(
    mut store: StoreContextMut<'_, Guest>,
    hook: CallHook,
    import_charge: usize,
    host_bytes_per_charge: f64,
) {
    match hook {
        CallHook::CallingHost => store.set_hostcall_fuel(import_charge),
        CallHook::ReturningFromWasm => {
            let bytes = store.data().limiter.memory_left().clamp(MIN_RESULT_BYTES, RESULT_BYTES);
            store.set_hostcall_fuel(charge(bytes, host_bytes_per_charge));
        }
        CallHook::CallingWasm | CallHook::ReturningFromHost => {}
    }
}

/// How much the engine may charge for values that take so many bytes in the host.
fn charge(bytes: u64, host_bytes_per_charge: f64) -> usize {
    (bytes as f64 / host_bytes_per_charge) as usize
}

/// Runs every 10 ms while a guest computes: ends it, lets it yield, or stops it until its lease is renewed.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands the context over")]
fn at_epoch(store: StoreContextMut<'_, Guest>) -> wasmtime::Result<UpdateDeadline> {
    let guest = store.data();
    if guest.meter.cpu_is_used_up() {
        return Err(CpuTimeUsedUp.into());
    }
    if !guest.task.control.is_frozen() {
        // The engine's own yield lets the runtime poll the guest again before its timers, which then starve.
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
