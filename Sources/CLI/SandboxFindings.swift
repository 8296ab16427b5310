import H5Conv
import H5ConvSupervisor

extension Confinement {
  /// What the kernel gives, for `check --sandbox`: a warning for each protection that is missing.
  var findings: [Finding] {
    func finding(_ holds: Bool, _ code: String, _ place: String, _ good: String, _ bad: String) -> Finding {
      Finding(holds ? .info : .warning, holds ? code : "no_\(code)", at: place, holds ? good : bad)
    }
    return [
      finding(
        refusesOtherFiles, "file_confinement", "Landlock",
        "in force (version \(landlock) of its interface): files that the command does not name cannot be opened",
        "this kernel has none: damage that takes over the work could read and write your files; limits and the filter of system calls remain"
      ),
      finding(
        hasSeccomp && refusesSockets && refusesPrograms, "call_filter", "seccomp",
        "in force: no programs, no network, no other processes",
        "no filter of system calls on this kernel or processor: damage that takes over the work could start programs"),
      finding(
        hasNoNewPrivileges, "no_new_privileges", "privileges", "cannot be gained",
        "could be gained by programs that the work starts"),
      Finding(
        .info, "limits", at: "limits",
        "of a command without inputs: \(memory >> 20) MB of memory, \(seconds) seconds; see --memory-limit and --time-limit"
      ),
    ]
  }
}
