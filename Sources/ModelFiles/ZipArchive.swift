import CZip
import Glibc
import H5ConvDiagnostics
package import H5ConvFiles

/// A zip archive that is open for reading.
///
/// libzip reads and unpacks; where a stored member lies in the file, which it does not tell, is read from the archive's directory.
package final class ZipArchive {
  package struct Member: Sendable {
    package let name: String
    package let size: Int
    package let packedSize: Int
    package let isStored: Bool
    fileprivate let index: UInt64
  }

  package let members: [Member]
  private let window: FileWindow
  /// Number of bytes of the archive.
  private let length: Int
  private let archive: OpaquePointer
  /// Read when the first stored member is looked for, once: there may be as many members as it has.
  private var directory: ZipDirectory?

  /// - Throws: ``H5ConvError`` of kind `badData` with libzip's reason.
  package convenience init(_ file: OpenFile) throws {
    try self.init(FileWindow(file, offset: 0), length: file.size)
  }

  /// The archive in `length` bytes of a file, which may be an archive itself; the two must not be read by turns.
  package init(_ window: FileWindow, length: Int) throws {
    self.window = window
    self.length = length
    let file = window.file
    let descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 3)
    guard descriptor >= 0, let stream = fdopen(descriptor, "rb") else {
      throw H5ConvError(.inputOutput, String(cString: strerror(errno)), file: file.path)
    }
    var reason = zip_error_t()
    zip_error_init(&reason)
    defer { zip_error_fini(&reason) }
    guard let source = zip_source_filep_create(stream, UInt64(window.offset), Int64(length), &reason) else {
      fclose(stream)
      throw ZipArchive.damaged(&reason)
    }
    guard let archive = zip_open_from_source(source, ZIP_CHECKCONS, &reason) else {
      zip_source_free(source)
      if zip_error_code_zip(&reason) == ZIP_ER_EXISTS, let name = try ZipDirectory(window, length: length).repeatedName
      {
        throw H5ConvError(
          .badData, "the archive has two members '\(name)', and nothing says which is meant",
          remedy: "do not trust the file, or pack it again with one", reason: .damagedArchive)
      }
      throw ZipArchive.damaged(&reason)
    }
    self.archive = archive
    let count = max(0, zip_get_num_entries(archive, 0))
    guard count <= 100_000 else {
      zip_discard(archive)
      throw H5ConvError(.limit, "an archive of \(count) members")
    }
    var members: [Member] = []
    for index in 0..<UInt64(count) {
      var status = zip_stat_t()
      guard zip_stat_index(archive, index, 0, &status) == 0, let name = status.name.map({ String(cString: $0) }),
        let size = Int(exactly: status.size), let packed = Int(exactly: status.comp_size)
      else {
        zip_discard(archive)
        throw H5ConvError(.badData, "the archive's directory cannot be read", reason: .damagedArchive)
      }
      members.append(
        Member(
          name: name, size: size, packedSize: packed,
          isStored: status.comp_method == UInt16(ZIP_CM_STORE) && status.encryption_method == UInt16(ZIP_EM_NONE),
          index: index))
    }
    self.members = members
  }

  private static func damaged(_ reason: inout zip_error_t) -> H5ConvError {
    H5ConvError(
      .badData, "the archive is damaged: \(String(cString: zip_error_strerror(&reason)))", remedy: "get it again",
      reason: .damagedArchive)
  }

  deinit { zip_discard(archive) }

  package func member(_ name: String) -> Member? { members.first { $0.name == name } }

  /// The bytes of a member, unpacked.
  ///
  /// - Throws: ``H5ConvError`` of kind `limit` when there are more than `limit`, `badData` when it is damaged.
  package func bytes(_ member: Member, limit: Int) throws -> [UInt8] {
    try check(member, limit: limit)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(member.size)
    try unpack(member) { bytes += $0 }
    return bytes
  }

  /// Reads every member of Keras' and NumPy's archives to its end, where its checksum is compared.
  ///
  /// Opening an archive does not: weights that lie in it as they are, are read only when they are wanted, and where they lie.
  /// - Throws: ``H5ConvError`` of kind `badData` naming the member that is damaged.
  package static func verify(_ path: String) throws {
    let archive = try ZipArchive(try OpenFile(path))
    for member in archive.members where member.name.hasPrefix("model.weights.") || member.name.hasSuffix(".npy") {
      try archive.check(member, limit: 1 << 36)
      try archive.unpack(member) { _ in }
    }
  }

  /// A member as a file: the part of the archive where it is stored, or unpacked into memory.
  package func window(_ member: Member) throws -> (window: FileWindow, length: Int) {
    if member.isStored {
      let directory = try directory ?? ZipDirectory(window, length: length)
      self.directory = directory
      return (try directory.place(of: member), member.size)
    }
    try check(member, limit: 1 << 36)
    let file = window.file
    let unpacked = try OpenFile(unnamed: file.path) { descriptor in
      var done = 0
      try unpack(member) { piece in
        try writeBytes(UnsafeRawBufferPointer(piece), to: descriptor, at: done, path: file.path)
        done += piece.count
      }
    }
    return (FileWindow(unpacked, offset: 0), unpacked.size)
  }

  /// Refuses members that unpack to far more than they are: Keras' own rule, and a limit.
  private func check(_ member: Member, limit: Int) throws {
    guard member.size <= limit else {
      throw H5ConvError(.limit, "'\(member.name)' has \(member.size) bytes, more than the \(limit) that are read")
    }
    let (most, overflow) = member.packedSize.multipliedReportingOverflow(by: 100)
    // What is unpacked lies in memory. Weights of nothing but zeros are packed as tightly, in archives of a few megabytes.
    if member.size > 1 << 28, overflow || member.size > most {
      throw H5ConvError(
        .badData, "'\(member.name)' unpacks from \(member.packedSize) to \(member.size) bytes: a zip bomb",
        reason: .zipBomb)
    }
  }

  private func unpack(_ member: Member, _ take: (UnsafeBufferPointer<UInt8>) throws -> Void) throws {
    func damaged(_ reason: UnsafePointer<CChar>?) -> H5ConvError {
      H5ConvError(
        .badData, "the archive's member '\(member.name)' is damaged\(reason.map { ": " + String(cString: $0) } ?? "")",
        remedy: "get it again", reason: .damagedArchive)
    }
    guard let source = zip_fopen_index(archive, member.index, 0) else { throw damaged(zip_strerror(archive)) }
    defer { zip_fclose(source) }
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 18)
    defer { buffer.deallocate() }
    var done = 0
    while done < member.size {
      let got = zip_fread(source, buffer.baseAddress, UInt64(min(buffer.count, member.size - done)))
      guard got > 0 else { throw damaged(zip_error_strerror(zip_file_get_error(source))) }
      try take(UnsafeBufferPointer(rebasing: buffer[..<Int(got)]))
      done += Int(got)
    }
    // The checksum is looked at where the member ends.
    guard zip_fread(source, buffer.baseAddress, 1) == 0 else {
      throw damaged(zip_error_strerror(zip_file_get_error(source)))
    }
  }
}

/// The central directory of a zip file, for the offsets of its stored members (APPNOTE.TXT 4.3).
private struct ZipDirectory {
  private let archive: FileWindow
  private let length: Int
  private let directory: [UInt8]
  /// Where the entries begin, by their names; of two of one name the first.
  private var places: [ArraySlice<UInt8>: Int] = [:]
  /// The first name that two members have.
  private(set) var repeatedName: String?

  init(_ archive: FileWindow, length: Int) throws {
    self.archive = archive
    self.length = length
    let tailSize = min(length, 22 + 65_535 + 20)
    let tail = try archive.file.bytes(at: archive.offset + length - tailSize, count: tailSize)
    guard tailSize >= 22,
      let end = stride(from: tailSize - 22, through: 0, by: -1).first(where: {
        tail.number(at: $0, bytes: 4) == 0x0605_4b50 && $0 + 22 + tail.number(at: $0 + 20, bytes: 2) == tailSize
      })
    else { throw ZipDirectory.damaged }
    var size = tail.number(at: end + 12, bytes: 4)
    var offset = tail.number(at: end + 16, bytes: 4)
    if size == 0xffff_ffff || offset == 0xffff_ffff {
      guard end >= 20, tail.number(at: end - 20, bytes: 4) == 0x0706_4b50,
        let record = try ZipDirectory.piece(archive, length, at: tail.number(at: end - 12, bytes: 8), count: 56),
        record.number(at: 0, bytes: 4) == 0x0606_4b50
      else { throw ZipDirectory.damaged }
      size = record.number(at: 40, bytes: 8)
      offset = record.number(at: 48, bytes: 8)
    }
    guard size <= 1 << 28, let directory = try ZipDirectory.piece(archive, length, at: offset, count: size) else {
      throw ZipDirectory.damaged
    }
    self.directory = directory
    var place = 0
    while let (entry, next) = entry(at: place) {
      if places[entry.name] == nil {
        places[entry.name] = place
      } else if repeatedName == nil {
        repeatedName = String(decoding: entry.name, as: UTF8.self)
      }
      place = next
    }
  }

  private struct Entry {
    /// Where it begins in the directory.
    let place: Int
    let name: ArraySlice<UInt8>
    let extra: ArraySlice<UInt8>
  }

  /// The entry at `place` and where the next begins; nil at the end.
  private func entry(at place: Int) -> (entry: Entry, next: Int)? {
    guard place + 46 <= directory.count, directory.number(at: place, bytes: 4) == 0x0201_4b50 else { return nil }
    let extra = place + 46 + directory.number(at: place + 28, bytes: 2)
    let comment = extra + directory.number(at: place + 30, bytes: 2)
    let next = comment + directory.number(at: place + 32, bytes: 2)
    guard next <= directory.count else { return nil }
    return (Entry(place: place, name: directory[place + 46..<extra], extra: directory[extra..<comment]), next)
  }

  /// Where the bytes of a stored member begin.
  func place(of member: ZipArchive.Member) throws -> FileWindow {
    guard let place = places[Array(member.name.utf8)[...]], let (entry, _) = entry(at: place) else {
      throw ZipDirectory.damaged
    }
    let offset = try dataOffset(of: member, header: headerOffset(entry.place, Array(entry.extra)))
    return FileWindow(archive.file, offset: archive.offset + offset)
  }

  /// The local header's offset: in the entry, or among the 64-bit fields behind those of the two sizes.
  private func headerOffset(_ entry: Int, _ extra: [UInt8]) throws -> Int {
    let offset = directory.number(at: entry + 42, bytes: 4)
    guard offset == 0xffff_ffff else { return offset }
    let skipped = [20, 24].filter { directory.number(at: entry + $0, bytes: 4) == 0xffff_ffff }.count * 8
    var place = 0
    while place + 4 <= extra.count {
      let length = extra.number(at: place + 2, bytes: 2)
      if extra.number(at: place, bytes: 2) == 1, length >= skipped + 8, place + 4 + skipped + 8 <= extra.count {
        return extra.number(at: place + 4 + skipped, bytes: 8)
      }
      place += 4 + length
    }
    throw ZipDirectory.damaged
  }

  private func dataOffset(of member: ZipArchive.Member, header offset: Int) throws -> Int {
    guard let header = try ZipDirectory.piece(archive, length, at: offset, count: 30),
      header.number(at: 0, bytes: 4) == 0x0403_4b50
    else { throw ZipDirectory.damaged }
    let start = offset + 30 + header.number(at: 26, bytes: 2) + header.number(at: 28, bytes: 2)
    guard member.size == member.packedSize, start <= length, member.size <= length - start else {
      throw ZipDirectory.damaged
    }
    return start
  }

  private static func piece(_ archive: FileWindow, _ length: Int, at offset: Int, count: Int) throws -> [UInt8]? {
    guard offset >= 0, count >= 0, offset <= length, count <= length - offset else { return nil }
    return try archive.file.bytes(at: archive.offset + offset, count: count)
  }

  private static var damaged: H5ConvError {
    H5ConvError(
      .badData, "the archive's directory is damaged", remedy: "get it again", reason: .damagedArchive)
  }
}

extension [UInt8] {
  /// The little-endian number in `bytes` bytes; those of 8 bytes that no Int holds become -1, which fits nothing.
  fileprivate func number(at place: Int, bytes count: Int) -> Int {
    guard place >= 0, place + count <= self.count else { return -1 }
    return Int(exactly: self[place..<place + count].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) ?? -1
  }
}
