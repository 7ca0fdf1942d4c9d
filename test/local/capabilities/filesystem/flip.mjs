import { renameSync } from "node:fs"

// Turns a directory into a link that leads out, and back, until it is told to stop.
const [root] = process.argv.slice(2)
const move = (from, to) => renameSync(`${root}/${from}`, `${root}/${to}`)

let strays = 0

const rename = (from, to) => {
  for (;;) {
    try {
      return move(from, to)
    } catch (error) {
      // Somebody made a directory where there was nothing for a moment.
      if (!["ENOTEMPTY", "EEXIST", "EISDIR", "ENOTDIR"].includes(error.code)) throw error
      move(to, `stray-${strays++}`)
    }
  }
}

let going = true
process.stdin.on("end", () => going = false).resume()

const turn = () => {
  for (let turns = 0; turns < 200; turns++) {
    rename("flip", "held")
    rename("link", "flip")
    rename("flip", "link")
    rename("held", "flip")
  }
  if (going) setImmediate(turn)
}

process.stdout.write("ready")
turn()
