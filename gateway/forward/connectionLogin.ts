// Logins that hold for a connection and not for a request: NTLM and Negotiate (RFC 4559 §6).
// The danger it guards against: whoever used that connection next would be the user who logged in on it.

import type { Exchange } from '../model.ts'
import type { AnswerHead } from './answerHead.ts'

const credentials = /^(?:ntlm|negotiate)\b/i
const challenge = /(?:^|,)\s*(?:ntlm|negotiate)\b/i

/** Whether the answer offers such a login, or the request has brought one unasked. */
export function logsInConnection({ fields }: Exchange, { status, fields: answered }: AnswerHead): boolean {
  const given = fields.get('authorization')
  if (given !== undefined && credentials.test(given)) return true
  return status === 401 && answered.all('www-authenticate').some((value) => challenge.test(value))
}
