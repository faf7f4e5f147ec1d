// `node services/ai/main.ts --port 4200 --monolith http://127.0.0.1:4000 [--issuers NAME=URL,… --audience NAME]`: the ai
// service as a process.
import { runCommand } from '../kit/command.ts'
import { startAi } from './ai.ts'

await runCommand({
  service: 'ai',
  defaultPort: 4200,
  own: ['monolith'],
  mayTrust: true,
  start: ({ own, ...given }) => startAi({ ...given, ...(own.monolith && { monolith: own.monolith }) }),
})
