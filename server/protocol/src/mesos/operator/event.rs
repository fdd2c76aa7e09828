//! What a master tells a subscribed operator.
//!
//! The first event carries the whole state; what comes after are changes to it. An
//! agent that is deactivated or drained makes no event, so the state has to be read
//! again now and then.

use super::{Agent, Framework, State};
use crate::mesos::v1::{AgentId, FrameworkId, FrameworkInfo, OfAgent, Task, TaskStatus};
use crate::task::TaskState;

message! {
    /// The subscription has begun.
    Subscribed {
        /// All there is.
        get_state: Option<State>,
        /// Seconds between two heartbeats.
        heartbeat_interval_seconds: Option<f64>,
    }

    /// A task is on its way.
    TaskAdded {
        /// It.
        task: Task,
    }

    /// A task changed its state.
    TaskUpdated {
        /// Its framework.
        framework_id: FrameworkId,
        /// The update.
        status: TaskStatus,
        /// The newest state, which may be ahead of the update's.
        state: TaskState,
    }

    /// An agent came (again).
    AgentAdded {
        /// It.
        agent: Agent,
    }

    /// A framework came or changed.
    FrameworkChanged {
        /// It.
        framework: Framework,
    }

    /// A framework went.
    FrameworkRemoved {
        /// It.
        framework_info: FrameworkInfo,
    }
}

union! {
    /// An event of a master.
    Event {}
    /// What it tells.
    EventBody {
        Subscribed(Subscribed) = "SUBSCRIBED",
        TaskAdded(TaskAdded) = "TASK_ADDED",
        TaskUpdated(TaskUpdated) = "TASK_UPDATED",
        AgentAdded(AgentAdded) = "AGENT_ADDED",
        AgentRemoved(OfAgent) = "AGENT_REMOVED",
        FrameworkAdded(FrameworkChanged) = "FRAMEWORK_ADDED",
        FrameworkUpdated(FrameworkChanged) = "FRAMEWORK_UPDATED",
        FrameworkRemoved(FrameworkRemoved) = "FRAMEWORK_REMOVED",
        /// The stream lives.
        Heartbeat = "HEARTBEAT",
    }
}

impl EventBody {
    /// The agent that it is about, if it is about one.
    pub fn agent_id(&self) -> Option<&AgentId> {
        match self {
            Self::TaskAdded(e) => Some(&e.task.agent_id),
            Self::TaskUpdated(e) => e.status.agent_id.as_ref(),
            Self::AgentAdded(e) => e.agent.agent_info.id.as_ref(),
            Self::AgentRemoved(e) => Some(&e.agent_id),
            _ => None,
        }
    }
}
