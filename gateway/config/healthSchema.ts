// The keys of an upstream that say how its targets are watched, and how much it is given.
// The danger it guards against: a check or an ejection that is on where the operator believes that there is none.
import { type Static, Type } from 'typebox'
import { Duration, Share } from './schema.ts'

const closed = { additionalProperties: false } as const

const inARow = (most: number, about: { default: number; description: string }) =>
  Type.Integer({ minimum: 1, maximum: most, ...about })

const healthSchema = Type.Object(
  {
    path: Type.String({
      title: 'a path such as /healthz, maybe with a query',
      pattern: '^/[\\x21-\\x22\\x24-\\x7e]*$',
      description: 'What is asked for, with GET and the target as Host; 200 to 399 is well.',
    }),
    every: Duration({ default: '2s', description: 'From one check of a target to the next, by each gateway.' }),
    timeout: Duration({ default: '1s', description: "For the check's answer." }),
    unhealthy: inARow(100, { default: 3, description: 'So many failed checks in a row, and requests go elsewhere.' }),
    healthy: inARow(100, { default: 2, description: 'So many good ones in a row, and they come back.' }),
  },
  {
    ...closed,
    description:
      'Asks each target whether it is well, on connections beside `maxConnections`. One that is not is sent no requests while another is well; a single target is only shown. A target is taken for well until its checks say otherwise.',
  },
)

const outliersSchema = Type.Object(
  {
    consecutive: inARow(1_000, {
      default: 5,
      description: 'So many requests in a row that failed: no answer, one that broke off, or a 5xx.',
    }),
    eject: Duration({
      default: '30s',
      description:
        'How long it is left alone: times how often it was, up to 5m; one time is forgotten for every 10s without.',
    }),
    max: Share({
      default: '10%',
      description: 'The most targets that are left alone at a time; one may always be, but never the last that is up.',
    }),
  },
  {
    ...closed,
    description:
      'Leaves a target alone that fails while others do not; of one or two nobody is. `outliers: {}` takes all defaults; absent: nobody is, for one request that every target fails, asked again and again, looks the same.',
  },
)

export const healthProperties = {
  health: Type.Optional(healthSchema),
  outliers: Type.Optional(outliersSchema),
  concurrency: Type.Optional(
    Type.Enum(['adaptive'], {
      description:
        'Bounds the requests that wait for an answer by how long answers take, below `maxConnections`: while they take a quarter longer than on a calm upstream it is given fewer at a time, down to 3, and the others wait or are refused as for a connection. Absent: `maxConnections` alone.',
    }),
  ),
}

const watchSchema = Type.Object(healthProperties)

export type CheckedWatch = Static<typeof watchSchema>
