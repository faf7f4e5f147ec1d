// What a run of rotations sends: with what is good, and, beside it, with what is not any more.
// The danger it guards against: a client that is refused for what another one has done. So each has an address of his own.
import type { Reply } from '../client.ts'
import { jsonIn, type Kind, pickFrom } from '../requests.ts'
import type { Credential, Kind as CredentialKind, Purse } from './purse.ts'
import { vaultAnswer } from './vault.ts'

/** What shows nothing is refused at any time. */
export const bare: Credential = {
  ...{ id: 'bare', kind: 'internal', fields: {}, how: 'no token' },
  ...{ goodUntil: Number.NEGATIVE_INFINITY, badFrom: Number.NEGATIVE_INFINITY },
}

const target = '/api/search?q=tea&size=1'

/** Through the gateway. */
export function throughGateway(purse: Purse, random: () => number): readonly Kind[] {
  const good = (kind: CredentialKind) => search(purse.good(kind), random)
  const ended = () => search([...purse.ended('key'), ...purse.ended('token')], random)
  return [
    { name: 'key', weight: 4, next: () => good('key') },
    { name: 'token', weight: 4, next: () => good('token') },
    { name: 'ended', weight: 3, next: ended },
    { name: 'vault', weight: 2, next: () => vault('GET', '') },
    { name: 'vault write', weight: 1, next: () => vault('POST', `write ${Math.floor(random() * 1e9)}`) },
  ]
}

/** Straight to the service, with what the gateway has said to somebody else. */
export function roundGateway(purse: Purse, random: () => number): readonly Kind[] {
  return [
    { name: 'internal token', weight: 1, next: () => search(purse.good('internal'), random) },
    { name: 'ended internal token', weight: 1, next: () => search(purse.ended('internal'), random) },
    { name: 'no token', weight: 1, next: () => search([bare], random) },
  ]
}

/** @param credentials one of these, or none where there are none yet */
function search(credentials: readonly Credential[], random: () => number) {
  const { id, fields } = credentials.length > 0 ? pickFrom(credentials, random) : bare
  // RFC 2544 has set these aside for measurements.
  const address = `198.18.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`
  return {
    kind: 'search',
    visitor: id,
    ask: { method: 'GET', target, fields: { ...fields, 'X-Forwarded-For': address } },
    // Whether it should have been is for the tally to say, once it is known how the credential ends.
    status: 200,
    complaint: (reply: Reply) => (jsonIn<{ total?: number }>(reply).total ? undefined : 'nothing was found'),
  }
}

function vault(method: string, body: string) {
  const answer = vaultAnswer(method, body)
  return {
    kind: 'vault',
    ask: { method, target: '/vault/x', ...(body !== '' && { body: Buffer.from(body) }) },
    status: 200,
    complaint: (reply: Reply) => (String(reply.body) === answer ? undefined : 'another answer'),
  }
}
