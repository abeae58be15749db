/** What is found of answers: on the screen at once, and put back to what is kept where it could not be kept. */

import type { Feedback, Message, Rating } from './types'

type Keep = (conversation: string, message: string, feedback: Feedback | null) => Promise<unknown>
type Show = (conversation: string, rating: Rating) => void
/** Read how everything stands. */
type Look = (conversation: string) => void

interface Press {
  /** What the server has. */
  kept: Feedback | null
  /** How many there are. */
  presses: number
  /** What was heard meanwhile, last. */
  heard?: Feedback | null
}

export function createRatings(keep: Keep, show: Show, look: Look) {
  /** One after the other, so that the last press is the last to arrive. */
  let last: Promise<unknown> = Promise.resolve()
  /** Of the messages whose presses are under way. */
  const pressed = new Map<string, Press>()

  /** Say what is found of an answer, or take it back with null. */
  async function rate(conversation: string, message: Message, feedback: Feedback | null) {
    const { id } = message
    const known: Press = pressed.get(id) ?? { kept: message.feedback ?? null, presses: 0 }
    pressed.set(id, known)
    known.presses += 1
    show(conversation, { id, feedback })
    const kept = last.catch(() => undefined).then(() => keep(conversation, id, feedback))
    last = kept
    try {
      await kept
      known.kept = feedback
    } catch (problem) {
      // The last press decides what is shown; one that is still under way is shown already.
      if (known.presses === 1) show(conversation, { id, feedback: known.kept })
      throw problem
    } finally {
      known.presses -= 1
      if (!known.presses) {
        pressed.delete(id)
        // It was said before the last press, or another tab has pressed since: only the server knows.
        if (known.heard !== undefined && known.heard !== known.kept) look(conversation)
      }
    }
  }

  /** Of what is heard, what may be shown: while a press is under way, that one is, and what is heard may be older. */
  function settled(ratings: readonly Rating[]): Rating[] {
    return ratings.filter(({ id, feedback }) => {
      const known = pressed.get(id)
      if (known) known.heard = feedback
      return !known
    })
  }

  return { rate, settled }
}
