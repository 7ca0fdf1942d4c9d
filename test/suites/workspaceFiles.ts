/** What is in a workspace at the begin of a suite: a README, a folder with notes, and nothing else. */
export const workspaceFiles = {
  "README.md": "# Workspace\n\nA file to read.\n",
  "notes/one.txt": "one\n",
  "notes/two.txt": "two\n"
}
