// Canceling from Java, with the table of README.md:
//
//   apt-get install libpostgresql-jdbc-java
//   java -cp /usr/share/java/postgresql.jar Shop.java jdbc:postgresql:shop 42
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

class Shop {
    // With the function: a refusal raises an SQLSTATE of ordcancel.
    static String cancel(Connection db, int orderId, String reason, String actor) throws SQLException {
        try (PreparedStatement call = db.prepareStatement(
                "SELECT state FROM ordcancel.cancel_order('shop.orders', ?, ?, actor => ?)")) {
            call.setInt(1, orderId);
            call.setString(2, reason);
            call.setString(3, actor);
            try (ResultSet row = call.executeQuery()) {
                row.next();
                return row.getString(1);
            }
        } catch (SQLException e) {
            if (!e.getSQLState().startsWith("OC"))
                throw e;
            return refusal(e.getSQLState(), e);
        }
    }

    // With a plain update, as existing code does: a refusal is a check violation whose
    // constraint name is the name of the condition.
    static String setStatus(Connection db, int orderId, String status) throws SQLException {
        try (PreparedStatement update = db.prepareStatement("UPDATE shop.orders SET status = ? WHERE id = ?")) {
            update.setString(1, status);
            update.setInt(2, orderId);
            update.executeUpdate();
            return status;
        } catch (PSQLException e) {
            if (!"23514".equals(e.getSQLState()))
                throw e;
            return refusal(e.getServerErrorMessage().getConstraint(), e);
        }
    }

    static String refusal(String condition, SQLException e) {
        ServerErrorMessage message = ((PSQLException) e).getServerErrorMessage();
        String hint = message.getHint() == null ? "" : " (" + message.getHint() + ")";
        return condition + ": " + message.getMessage() + hint;
    }

    public static void main(String[] args) throws SQLException {
        try (Connection db = DriverManager.getConnection(args[0])) {
            int orderId = Integer.parseInt(args[1]);
            System.out.println(cancel(db, orderId, "out_of_stock", "anna"));
            System.out.println(setStatus(db, orderId, "shipped"));
        }
    }
}
