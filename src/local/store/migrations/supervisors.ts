export const supervisors: ReadonlyArray<string> = [
  `CREATE TABLE supervisors (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    token_hash VARCHAR(64) NOT NULL
  )`
]
