import { useEffect, useRef, useState } from 'preact/hooks'
import { panel as words } from '../../strings/en'
import { Problem } from '../api'
import { useChat } from '../context'

/** Ask for the one thing that is missing: where to reply. */
export function EmailForm({ focus, done, cancel }: { focus: boolean; done(): void; cancel: (() => void) | null }) {
  const { chat } = useChat()
  const field = useRef<HTMLInputElement>(null)
  const [error, setError] = useState('')
  const [saving, setSaving] = useState(false)

  useEffect(() => {
    if (focus) field.current?.focus()
  }, [focus])

  const refuse = (sentence: string) => {
    setError(sentence)
    field.current?.focus()
  }
  const submit = async (event: Event) => {
    event.preventDefault()
    const email = field.current!.value.trim()
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return refuse(words.emailInvalid)
    setSaving(true)
    try {
      await chat.setCustomer({ email })
      done()
    } catch (problem) {
      refuse(problem instanceof Problem && problem.status === 422 ? problem.detail || words.emailInvalid : words.releaseFailed)
    } finally {
      setSaving(false)
    }
  }
  return (
    <form class="email" onSubmit={(event) => void submit(event)} noValidate>
      <label for="email">{words.emailTitle}</label>
      <div class="field">
        <input
          ref={field} id="email" type="email" autoComplete="email" inputMode="email" dir="ltr" defaultValue={chat.email.value ?? ''}
          placeholder={words.emailPlaceholder} aria-invalid={error !== ''} aria-describedby="email-hint"
        />
        <button type="submit" class="primary" disabled={saving}>{saving ? words.saving : words.save}</button>
      </div>
      <p id="email-hint" class={error ? 'problem' : ''} role={error ? 'alert' : undefined}>{error || words.emailHint}</p>
      {cancel && <button type="button" class="link" onClick={cancel}>{words.cancel}</button>}
    </form>
  )
}
