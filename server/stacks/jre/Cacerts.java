import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.util.*;

/**
 * Writes Java's trust store from Mozilla's authorities as Debian ships them:
 * {@code java Cacerts.java FOLDER_OF_PEM FILE}. By hand, because KeyStore puts
 * today's date into each entry, and equal inputs must give equal images.
 * The format is JKS version 2 (the JDK reads it as its default trust store).
 */
class Cacerts {
    static final long EPOCH_MS = 1577836800_000L; // 2020-01-01, as all files of the images

    public static void main(String[] args) throws Exception {
        var factory = CertificateFactory.getInstance("X.509");
        var found = new TreeMap<String, byte[]>();
        try (var files = Files.newDirectoryStream(Path.of(args[0]), "*.crt")) {
            for (Path file : files) {
                try (var in = Files.newInputStream(file)) {
                    found.put(file.getFileName().toString().toLowerCase(Locale.ROOT).replace(".crt", ""),
                        factory.generateCertificate(in).getEncoded());
                }
            }
        }
        if (found.size() < 50) throw new IOException("only " + found.size() + " authorities in " + args[0]);
        // JKS's integrity check: SHA-1 over password, a phrase and the data.
        var digest = MessageDigest.getInstance("SHA-1");
        for (char c : "changeit".toCharArray()) { digest.update((byte) (c >> 8)); digest.update((byte) c); }
        digest.update("Mighty Aphrodite".getBytes("UTF-8"));
        var bytes = new ByteArrayOutputStream();
        var out = new DataOutputStream(new DigestOutputStream(bytes, digest));
        out.writeInt(0xFEEDFEED);
        out.writeInt(2);
        out.writeInt(found.size());
        for (var entry : found.entrySet()) {
            out.writeInt(2); // a trusted certificate
            out.writeUTF(entry.getKey());
            out.writeLong(EPOCH_MS);
            out.writeUTF("X.509");
            out.writeInt(entry.getValue().length);
            out.write(entry.getValue());
        }
        out.flush();
        bytes.write(digest.digest());
        Files.write(Path.of(args[1]), bytes.toByteArray());
        System.err.println("cacerts: " + found.size() + " authorities");
    }
}
