import Glibc
import SecretScan

exit(SecretScanCommand.run())
