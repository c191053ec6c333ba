//! As what things go, and why some of them do not: as types of resources, and as words of the database.

/// What every fact is mapped to, at the highest rung.
pub const MAPPED_TYPE: &str = "Observation";

/// What every page is mapped to.
pub const PAGE_TYPE: &str = "DocumentReference";

/// What a visit is mapped to.
pub const APPOINTMENT_TYPE: &str = "Appointment";

/// Why a visit is not asked for: the EHR takes no Appointments.
pub const BOOKING_NOT_TAKEN: &str = "booking-not-taken";

/// What a member's answer goes on with, where the clinic gave them a Task.
pub const TASK_TYPE: &str = "Task";

/// What a member's answer is mapped to, where it is a message.
pub const MESSAGE_TYPE: &str = "Communication";

/// Why an answer does not go on with the Task: the EHR does not let it be changed. A message says it then.
pub const TASK_NOT_TAKEN: &str = "task-not-taken";

/// Why an answer does not go as a message: the Task says it.
pub const SAID_WITH_THE_TASK: &str = "said-with-the-task";

/// Why an answer does not go at all: the EHR has no place for it.
pub const ANSWER_NOT_TAKEN: &str = "answer-not-taken";

/// Why a part does not go by itself: the note that the whole becomes says it.
pub const SAID_WITH_THE_WHOLE: &str = "said-with-the-whole";

/// Why a part does not go: the EHR has no place for it, and the other parts say the same.
pub const PART_NOT_TAKEN: &str = "part-not-taken";
