# The staff view of a clinic: its group sessions.
clinic-groups = Group sessions
clinic-groups-lead = Sessions for several people at once. You make them here, and your EHR has each as an appointment.
clinic-groups-none = No session is planned.
clinic-groups-no-kind = Your clinic offers no group sessions. Whoever runs this site can set up a kind of visit for them.
clinic-group-new = Plan a session
clinic-group-kind = What kind
clinic-group-kind-open = { $title } (open to the whole community)
clinic-group-places = Places
clinic-group-plan = Plan it
clinic-group-taken = { $taken } of { $capacity } places taken
clinic-group-waiting = { $count } waiting
clinic-group-stands-planned = planned
clinic-group-stands-cancelled = cancelled
clinic-group-ehr = In the EHR
clinic-group-told = Yes, as it stands here
clinic-group-not-told = Not yet as it stands here. It is tried again every few minutes.
clinic-group-who = Who takes part
clinic-group-who-none = There is nobody whom you can see.
clinic-group-hidden = { $count ->
    [one] One more takes part
   *[other] { $count } more take part
} whom you cannot see: their consent does not allow it, or your clinic does not know them.
clinic-group-join = Enter and lead the session
clinic-group-opens = You can enter from { $time }.
clinic-group-change = Change time or places
clinic-group-change-more = Everybody who has a place is told that there is news. Nobody loses a place, even if there are fewer.
clinic-group-save = Save
clinic-group-cancel = Cancel the session
clinic-group-cancel-more = Everybody who has a place is told.
clinic-group-cancel-yes = Yes, cancel it
clinic-group-back = All group sessions
clinic-wrong-places = Please give a number of places from 1 to 500. Nothing was changed.
flash-clinic-group-planned = Planned. Members find it under their visits now.
flash-clinic-group-changed = Changed. Whoever has a place is told.
flash-clinic-group-cancelled = Cancelled. Whoever had a place is told.
