-- On what terms clinics offer their kinds of visits, where their own staff changed what the operator set up. What does not stand
-- here is as the configuration says.
CREATE TABLE visit_terms (
    clinic_id    TEXT    NOT NULL,
    visit        TEXT    NOT NULL, -- what kind of visit, by its name in the configuration
    is_offered   BOOLEAN NOT NULL, -- whether members can ask for it
    notice_hours BIGINT  NOT NULL, -- how long before its beginning a time is offered no more
    ahead_days   BIGINT  NOT NULL, -- how far ahead times are offered
    hold_minutes BIGINT  NOT NULL, -- how long a time is kept for whoever chose it
    version      BIGINT  NOT NULL, -- grows with each change: of two who change it at once, one does
    PRIMARY KEY (clinic_id, visit)
);
