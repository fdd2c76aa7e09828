//! What the master tells a framework.

use crate::mesos::v1::{
    AgentId, ExecutorId, FrameworkId, InverseOffer, MasterInfo, Offer, OfferId, OperationStatus, TaskStatus,
};

message! {
    /// The session has begun.
    Subscribed {
        /// The framework's id; to be kept for ever.
        framework_id: FrameworkId,
        /// Seconds between two heartbeats; several missing ones mean the stream is dead.
        heartbeat_interval_seconds: Option<f64>,
        /// The master.
        master_info: Option<MasterInfo>,
    }

    /// Offers.
    Offers {
        /// They.
        offers: Vec<Offer>,
    }

    /// Inverse offers.
    InverseOffers {
        /// They.
        inverse_offers: Vec<InverseOffer>,
    }

    /// An offer is no longer good.
    Rescind {
        /// The offer.
        offer_id: OfferId,
    }

    /// An inverse offer is no longer good.
    RescindInverseOffer {
        /// The inverse offer.
        inverse_offer_id: OfferId,
    }

    /// A task changed its state (or it was asked for).
    Update {
        /// The state.
        status: TaskStatus,
    }

    /// An operation changed its state.
    UpdateOperationStatus {
        /// The state.
        status: OperationStatus,
    }

    /// A message of an executor.
    ExecutorMessage {
        /// Its agent.
        agent_id: AgentId,
        /// The executor.
        executor_id: ExecutorId,
        /// Bytes, in Base64.
        data: String,
    }

    /// An executor or an agent is gone.
    Failure {
        /// The agent.
        agent_id: Option<AgentId>,
        /// The executor; absent means the whole agent.
        executor_id: Option<ExecutorId>,
        /// Its exit status, as `wait` gives it.
        status: Option<i32>,
    }

    /// The session is over.
    ErrorEvent {
        /// Why: `Framework failed over`, `Framework has been removed`.
        message: String,
    }
}

union! {
    /// An event.
    Event {}
    /// What an event tells.
    EventBody {
        Subscribed(Subscribed) = "SUBSCRIBED",
        Offers(Offers) = "OFFERS",
        InverseOffers(InverseOffers) = "INVERSE_OFFERS",
        Rescind(Rescind) = "RESCIND",
        RescindInverseOffer(RescindInverseOffer) = "RESCIND_INVERSE_OFFER",
        Update(Update) = "UPDATE",
        UpdateOperationStatus(UpdateOperationStatus) = "UPDATE_OPERATION_STATUS",
        Message(ExecutorMessage) = "MESSAGE",
        Failure(Failure) = "FAILURE",
        Error(ErrorEvent) = "ERROR",
        /// The stream lives.
        Heartbeat = "HEARTBEAT",
    }
}
