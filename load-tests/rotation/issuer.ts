// An issuer of tokens whose keys rotate, and beside its keys those of the gateway, for a service that starts before the gateway does.
// The danger it guards against: an issuer that changes its keys with more care than real ones do.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export const issuerName = 'https://login.example.test/'
export const audience = 'https://api.example.test'

export interface IssuerKey {
  readonly publicPart: JWK
  /** @param untilMs milliseconds since the epoch; a whole second */
  sign(subject: string, untilMs: number): Promise<string>
}

export interface Issuer {
  /** Where its keys are. */
  readonly jwks: string
  /** Where those of the gateway are. */
  readonly gatewayJwks: string
  /** From now on these are its keys. */
  publish(keys: readonly IssuerKey[]): void
  /** @param admin the admin listener of the gateway whose keys are to be passed on */
  passOn(admin: string): void
  close(): void
}

export async function makeIssuerKey(kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const publicPart = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }
  return { publicPart, sign: (subject, untilMs) => sign(privateKey, { kid, subject, untilMs }) }
}

interface Said {
  readonly kid: string
  readonly subject: string
  readonly untilMs: number
}

function sign(privateKey: CryptoKey, { kid, subject, untilMs }: Said): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
    .setIssuer(issuerName)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(untilMs / 1_000)
    .sign(privateKey)
}

export async function startIssuer(): Promise<Issuer> {
  let set = '{"keys":[]}'
  let admin: string | undefined
  const passOn = async (response: ServerResponse) => {
    const answer = await fetch(new URL('/.well-known/banyan/jwks.json', admin))
    response.writeHead(answer.status).end(await answer.text())
  }
  const server = createServer((request, response) => {
    if (request.url === '/jwks.json') response.end(set)
    else passOn(response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    jwks: `${url}/jwks.json`,
    gatewayJwks: `${url}/gateway.json`,
    publish(keys) {
      set = JSON.stringify({ keys: keys.map(({ publicPart }) => publicPart) })
    },
    passOn(to) {
      admin = to
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
