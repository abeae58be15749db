/** Server-sent events out of a response body, for streams that need an Authorization header. */

export interface ServerEvent {
  event: string
  id: string | null
  data: string
}

/** Feed text in as it arrives; whole events come out. */
export class EventReader {
  private rest = ''
  private event = ''
  private id: string | null = null
  private lines: string[] = []

  feed(text: string): ServerEvent[] {
    const whole: ServerEvent[] = []
    this.rest += text
    // A lone carriage return at the end may be half of a line break.
    const parts = this.rest.split(/\r\n|\n|\r(?!$)/)
    this.rest = parts.pop() ?? ''
    for (const line of parts) {
      if (line !== '') this.field(line)
      else {
        if (this.lines.length) whole.push({ event: this.event || 'message', id: this.id, data: this.lines.join('\n') })
        this.event = ''
        this.lines = []
      }
    }
    return whole
  }

  private field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') this.event = value
    else if (name === 'data') this.lines.push(value)
    else if (name === 'id') this.id = value
  }
}
