// FafServer
