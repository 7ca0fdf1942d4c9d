import * as Schema from "effect/Schema"
import { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"

/** Something that happened, as the audit log has it. */
export const ActivityView = Schema.Struct({ ...SupervisionEvent.fields, sequence: Schema.Number })
export interface ActivityView extends Schema.Schema.Type<typeof ActivityView> {}

/** What `GET /api/activity` answers, the newest first. */
export const ActivityList = Schema.Struct({ activity: Schema.Array(ActivityView), total: Schema.Number })
