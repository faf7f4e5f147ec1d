// The keys of what the gateway proves itself to an upstream with.
// The danger it guards against: a secret that stands in the file, and so in every copy of it.
import { type Static, Type } from 'typebox'
import { Text } from './schema.ts'

const closed = { additionalProperties: false } as const
/** What stands in its place may be the secret itself, and must not be told to the log either. */
const unsaid = { writeOnly: true } as const

const secret = Type.String({
  title: `a secret, e.g. "\${AI_KEY}"`,
  pattern: '^[\\x21-\\x7e](?:[\\x20-\\x7e]*[\\x21-\\x7e])?$',
  // It must not be told to the log.
  writeOnly: true,
  description: 'From the environment.',
})

export const secretSchema = Type.Object(
  {
    from: Type.Union(
      [
        Type.Array(secret, {
          minItems: 1,
          maxItems: 2,
          description: 'The newest first; the one before it is tried where the newest is refused.',
        }),
        Type.Object(
          { file: Text({ title: 'the path of a file', description: "Relative to this file's folder." }) },
          { ...closed, description: 'A file with one in each line, the newest first. It is followed.' },
        ),
      ],
      { ...unsaid, description: 'The secret; for `basic` a pair user:password.' },
    ),
    field: Type.String({
      title: 'a field name such as authorization',
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
      default: 'Authorization',
      description: "The field that carries it; the client's own of that name is not passed on.",
    }),
    scheme: Type.Enum(['bearer', 'basic', 'plain'], {
      default: 'bearer',
      description: '`Bearer SECRET`, `Basic` and the pair in Base64 (RFC 7617), or the secret alone.',
    }),
  },
  {
    ...closed,
    ...unsaid,
    description:
      'What the gateway proves itself to it with, in place of the client. An answer 401 to the newest has the one before it tried, once.',
  },
)

export type CheckedSecret = Static<typeof secretSchema>
