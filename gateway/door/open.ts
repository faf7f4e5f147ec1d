// The door that clients come through, whole.
// The danger it guards against: a door that is chosen in two places.
import type { DoorPorts } from './door.ts'
import { type Entrance, type EntrancePorts, openEntrance } from './entrance.ts'
import { createFastDoor } from './fast.ts'
import { createGeneralDoor } from './general.ts'

/** @param choice `general` leaves the fast door out, at twice the cost: for comparing the two, and should it ever be in doubt */
export async function openDoor(choice: string | undefined, ports: DoorPorts & EntrancePorts): Promise<Entrance> {
  const general = await createGeneralDoor(ports)
  return openEntrance(choice === 'general' ? general : createFastDoor(general, ports), ports)
}
