// The moment by which an answer must have begun, however many upstreams are asked for it and however often: the route's, or the
// client's own where the file names the field in which it says how long it waits.
// The dangers it guards against: timeouts that add up, one attempt after another, to more than any client waits; and a client
// whose impatience is held against the upstream.
import { Type } from 'typebox'
import { Duration, durationMs } from '../config/schema.ts'
import { filterKind } from '../filter.ts'

export const deadline = filterKind({
  name: 'deadline',
  sections: {
    deadline: {
      at: 'route',
      schema: Duration({
        description:
          'From the head of the request to the head of its answer, whoever gives it: retries, their pauses and a fallback included. Longer than `firstByte` of the upstream, or nothing is left for a fallback; bodies are not cut by it.',
      }),
    },
    deadlineField: {
      at: 'top',
      schema: Type.String({
        title: 'a field name such as Request-Timeout',
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        description:
          'The field of requests in which a client says how long it waits for the answer to begin: seconds such as 5 or 0.25, or 250ms. It shortens what else holds and lengthens nothing; what is not of that form is ignored.',
      }),
    },
  },
  configure({ deadline: text, deadlineField }) {
    if (text === undefined && deadlineField === undefined) return undefined
    const routesMs = text === undefined ? Number.POSITIVE_INFINITY : durationMs(text)
    const times = [text ?? [], deadlineField === undefined ? [] : `what ${deadlineField} says`].flat()
    return {
      does: `answers within ${times.join(' or ')}`,
      bind: () => (exchange, next) => {
        const clientsMs = deadlineField === undefined ? undefined : waitOf(exchange.fields.all(deadlineField))
        const isClientsDeadline = clientsMs !== undefined && clientsMs < routesMs
        const ms = isClientsDeadline ? clientsMs : routesMs
        if (ms === Number.POSITIVE_INFINITY) return next(exchange)
        return next({ ...exchange, deadlineAt: exchange.receivedAt + ms, isClientsDeadline })
      },
    }
  },
})

/** In milliseconds; undefined of what is not one wait above zero. */
function waitOf(values: readonly string[]): number | undefined {
  const [, amount, unit] =
    /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(s|ms)?$/.exec(values.length === 1 ? (values[0] ?? '') : '') ?? []
  const ms = Number(amount ?? 0) * (unit === 'ms' ? 1 : 1_000)
  return ms > 0 ? ms : undefined
}
