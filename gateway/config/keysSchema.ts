// The keys of `keys`: how keys of ours are issued, how old they may be, and what they are hashed under.
// The danger it guards against: a key that nobody renews because nothing makes them.
import { Type } from 'typebox'
import { envPattern } from '../identity/keyFormat.ts'
import { leastPepperLength } from '../identity/keyHash.ts'
import { Duration, Text } from './schema.ts'

const closed = { additionalProperties: false } as const

const pepperSchema = Type.String({
  title: `a secret of ${leastPepperLength} characters or more, e.g. "\${KEYS_PEPPER}"`,
  pattern: `^[^\\u0000-\\u001f\\u007f]{${leastPepperLength},1024}$`,
  // It must not be told to the log.
  writeOnly: true,
  description: `A secret of ${leastPepperLength} characters or more, from the environment.`,
})

export const keysSchema = Type.Object(
  {
    env: Type.String({
      title: 'up to 16 small letters and digits',
      pattern: envPattern,
      default: 'live',
      description: 'The middle part of new keys, byn_live_…, so that one sees what a key is for.',
    }),
    maxAge: Duration({ default: '90d', description: 'The most that a key may be old: then it is refused.' }),
    warn: Duration({ default: '14d', description: 'So long before that a key is told in the log and in metrics.' }),
    overlap: Duration({ default: '7d', description: 'How long a rotated key works beside its successor.' }),
    staleAfter: Type.String({
      title: 'a duration such as 5m, or never',
      pattern: '^(never|[0-9]{1,9}(ms|s|m|h|d))$',
      default: '5m',
      description:
        'A replica that has not been able to read the store for so long, and so may have missed a revocation, answers keys with 503; 10s at least, or never. Of no meaning with store.state memory:.',
    }),
    peppers: Type.Optional(
      Type.Union(
        [
          Type.Array(pepperSchema, {
            minItems: 1,
            maxItems: 8,
            description: 'The newest first; the others still hold.',
          }),
          Type.Object(
            { file: Text({ title: 'the path of a file', description: "Relative to this file's folder." }) },
            { ...closed, description: 'A file with one in each line, the newest first. It is followed.' },
          ),
        ],
        {
          writeOnly: true,
          description:
            'What keys are hashed under, so that who reads the keys has nothing. Absent: a file in stateDir, made at the first start; replicas that share a store need it here.',
        },
      ),
    ),
    notices: Type.Optional(
      Type.Object(
        {
          publicKeys: Text({
            title: 'the path of a file',
            description:
              "With its public keys (ECDSA P-256) in PEM; relative to this file's folder. Read at each notice.",
          }),
        },
        {
          ...closed,
          description:
            'A secret scanner whose signed notices of leaked keys are taken at POST /keys/notices of the admin listener.',
        },
      ),
    ),
  },
  { ...closed, default: {}, description: 'Keys that this gateway issues to clients: banyan keys.' },
)
