import Glibc
import H5Conv
import H5ConvDiagnostics
import H5ConvSupervisor

/// What goes to the terminal: results on stdout, everything else on stderr.
enum Terminal {
  /// Whether stderr is a terminal that shows progress.
  static let showsProgress = isatty(Worker.messages) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"

  /// Size of the terminal behind stdout; zeros where it is none.
  static let window: winsize = {
    var size = winsize()
    return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 ? size : winsize()
  }()

  /// Asks for ``window``, which a confined process may not do.
  static func measure() { _ = window }

  /// The terminal behind stdout as far as it shows pictures, as `--terminal` wants it; nil where stdout is none.
  static func display(_ graphics: String) throws -> TerminalDisplay? {
    var environment: [String: String] = [:]
    for name in TerminalDisplay.variables { environment[name] = getenv(name).map { String(cString: $0) } }
    guard var display = try TerminalDisplay(graphics, environment: environment), isatty(1) == 1 else { return nil }
    (display.columns, display.rows) = (Int(window.ws_col), Int(window.ws_row))
    (display.width, display.height) = (Int(window.ws_xpixel), Int(window.ws_ypixel))
    return display
  }

  /// Writes a result.
  ///
  /// - Throws: ``H5ConvError`` of kind `inputOutput` when stdout cannot be written.
  static func print(_ text: String) throws {
    guard write(text + "\n", to: 1) else {
      throw H5ConvError(.inputOutput, "the output cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  /// Writes a note to stderr.
  static func note(_ text: String) { _ = write(text.escapedForTerminal + "\n", to: Worker.messages) }

  /// Writes an error as `h5conv: FILE: what is wrong (where): what to do`.
  ///
  /// Names in files may be megabytes long, and thousands: the middle of what is too long is left out.
  static func complain(_ error: H5ConvError) {
    func shortened(_ text: String) -> String {
      let scalars = text.unicodeScalars
      return scalars.count <= 1000 ? text : "\(String(scalars.prefix(500)))…\(String(scalars.suffix(200)))"
    }
    let short = H5ConvError(
      error.kind, shortened(error.what), at: error.place.map(shortened), remedy: error.remedy.map(shortened),
      file: error.file)
    note("h5conv: \(short.description)")
  }

  /// Shows a line that the next one overwrites.
  static func progress(_ text: String) {
    if showsProgress { _ = write("\r\u{1b}[K\(text.escapedForTerminal)", to: Worker.messages) }
  }

  /// Removes the progress line.
  static func endProgress() {
    if showsProgress { _ = write("\r\u{1b}[K", to: Worker.messages) }
  }

  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}
