//! Faults that can be switched on, because an EHR that never fails teaches nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// The faults that are switched on. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

/// Something that goes wrong with the requests it is meant for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// With which requests; all of them unless it says otherwise.
    #[serde(default)]
    pub on: On,
    /// How many times; for ever unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaultKind {
    /// An error status with an `OperationOutcome`. The request is not executed.
    #[serde(rename_all = "snake_case")]
    Status {
        /// 400 to 599.
        code: u16,
        /// The `Retry-After` header, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    /// The request is executed, and the connection closed without a byte of an answer.
    LostReply,
    /// No answer ever; the request is not executed.
    Stall,
    /// The request is executed after a while, even if the client has given up by then.
    Delay {
        /// How long, in milliseconds.
        millis: u64,
    },
    /// The request is executed, and its answer breaks off inside the JSON.
    MalformedJson,
    /// A 500 with the HTML page of some gateway. The request is not executed.
    HtmlError,
    /// The connection is closed without a byte of an answer. The request is not executed.
    Reset,
}

/// The requests a fault is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct On {
    /// The HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The first part of the path below the base: a resource type, or `metadata`. `Bundle` means a batch.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
}

impl Fault {
    /// A fault of every request, for ever.
    #[must_use]
    pub fn always(kind: FaultKind) -> Self {
        Self { kind, on: On::default(), times: None }
    }

    /// A fault of the next request.
    #[must_use]
    pub fn once(kind: FaultKind) -> Self {
        Self { times: Some(1), ..Self::always(kind) }
    }

    /// The same fault, only with this method and resource type.
    #[must_use]
    pub fn on(self, method: &str, resource_type: &str) -> Self {
        Self { on: On { method: Some(method.to_owned()), resource_type: Some(resource_type.to_owned()) }, ..self }
    }

    fn is_meant_for(&self, method: &str, resource_type: &str) -> bool {
        let method_fits = self.on.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        method_fits && self.on.resource_type.as_deref().is_none_or(|wanted| wanted == resource_type)
    }
}

impl Faults {
    /// Adds a fault behind those that are switched on already.
    pub fn switch_on(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Puts these faults in the place of those that are switched on.
    pub fn replace(&self, faults: Vec<Fault>) {
        *self.lock() = faults;
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The faults that are switched on, with the times they have left.
    #[must_use]
    pub fn list(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// Takes one time from the first fault that is meant for this request.
    pub(super) fn take(&self, method: &str, resource_type: &str) -> Option<FaultKind> {
        let mut faults = self.lock();
        faults.retain(|fault| fault.times != Some(0));
        let fault = faults.iter_mut().find(|fault| fault.is_meant_for(method, resource_type))?;
        fault.times = fault.times.map(|times| times - 1);
        let kind = fault.kind;
        faults.retain(|fault| fault.times != Some(0));
        Some(kind)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
