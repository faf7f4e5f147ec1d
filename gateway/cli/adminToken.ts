// banyan admin token: makes the token of an operator, and what routes.yaml has to say of it.
// The danger it guards against: a token that somebody has thought of, or that stands in a file. It is shown once and kept nowhere.
import { createHash, randomBytes } from 'node:crypto'
import { instantOf } from '../config/admin.ts'
import { adminRoles } from '../config/adminSchema.ts'
import { suggest } from '../config/nearest.ts'
import { durationMs, namePattern, nameTitle } from '../config/schema.ts'
import { type Command, type Given, jsonOption, UsageError, type World } from './command.ts'

export const admin: Command = {
  name: 'admin',
  operands: 'token NAME',
  count: [2, 2],
  summary:
    'Makes a token for the admin listener, shown once, and the lines for routes.yaml, which have its hash alone.',
  options: {
    roles: { type: 'string', value: 'ROLES', help: `what it opens: ${adminRoles.join(', ')}; several with commas` },
    expires: {
      type: 'string',
      value: 'TIME',
      help: 'when it ends: a day such as 2027-01-31, or a duration such as 90d; else never',
    },
    json: jsonOption,
  },
  run,
}

/** 256 bits: nobody guesses it, so that a plain hash of it is enough. */
const tokenBytes = 32

async function run(given: Given, world: World): Promise<number> {
  const [what, name = ''] = given.operands
  if (what !== 'token') throw new UsageError(`banyan admin takes token, not ${what}`)
  if (!new RegExp(namePattern).test(name)) throw new UsageError(`the NAME is ${nameTitle}`)
  const roles = rolesOf(given.value('roles'))
  const expires = expiryOf(given.value('expires'), Date.now())
  // A prefix by which secret scanners know it.
  const token = `bya_${randomBytes(tokenBytes).toString('base64url')}`
  const hash = `sha256:${createHash('sha256').update(token).digest('hex')}`
  const entry = { name, hash, roles, ...(expires !== undefined && { expires }) }
  world.print(given.isJson ? JSON.stringify({ token, entry }) : textOf(token, entry))
  return 0
}

interface Entry {
  readonly name: string
  readonly hash: string
  readonly roles: readonly string[]
  readonly expires?: string
}

function textOf(token: string, { name, hash, roles, expires }: Entry): string {
  return [
    `the token of ${name}, shown this once:`,
    '',
    `  export BANYAN_ADMIN_TOKEN=${token}`,
    '',
    'it is good as soon as routes.yaml says:',
    '',
    'admin:',
    '  tokens:',
    `    - name: ${name}`,
    `      hash: ${hash}`,
    `      roles: [${roles.join(', ')}]`,
    ...(expires === undefined ? [] : [`      expires: ${expires}`]),
  ].join('\n')
}

function rolesOf(words: string | undefined): readonly string[] {
  if (words === undefined) throw new UsageError(`say what it opens: --roles ${adminRoles.join(',')}`)
  const roles = [...new Set(words.split(',').map((word) => word.trim()))]
  const known: readonly string[] = adminRoles
  const strange = roles.find((role) => !known.includes(role))
  if (strange === undefined) return roles
  throw new UsageError(
    `there is no role "${strange}"${suggest(strange, known) || `; the roles are ${known.join(', ')}`}`,
  )
}

/** As the file takes it. */
function expiryOf(words: string | undefined, nowMs: number): string | undefined {
  if (words === undefined) return undefined
  const isSpan = /^[0-9]{1,4}d$/.test(words)
  const at = isSpan ? nowMs + durationMs(words) : instantOf(words)
  if (Number.isNaN(at)) throw new UsageError('--expires takes a day such as 2027-01-31, or a duration such as 90d')
  if (at <= nowMs) throw new UsageError(`--expires ${words} has passed already`)
  return isSpan ? new Date(at).toISOString().slice(0, 10) : words
}
