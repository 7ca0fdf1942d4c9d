import { knownText, taggedError } from "./base.js"

/** The schedule is not a cron expression of five fields, or one of its fields is out of range. */
export class InvalidCronExpression extends taggedError<InvalidCronExpression>()("InvalidCronExpression", {
  expression: knownText
}) {}
